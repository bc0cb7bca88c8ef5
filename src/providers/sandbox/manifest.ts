import type { ProviderManifest } from '../manifest.ts';

/** The built-in provider. It needs no key, and is not for production: its videos only show the prompt as text. */
export const sandbox: ProviderManifest<never, never> = {
  name: 'sandbox',
  displayName: 'Sandbox',
  credentials: {},
  urls: {},
  isForProduction: false,
  mediaHosts: [],
  callbacksFrom: null,
  simulator: null,
  createAdapter: async (_connection, { createSandbox }) => createSandbox(),
};
