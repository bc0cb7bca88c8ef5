/** Loom, an invented provider: two credentials, webhooks, and a protocol unlike that of any other provider. */
import { keyVariable, type ProviderManifest, urlVariable } from '../../../src/providers/manifest.ts';

export const loom: ProviderManifest<'account' | 'secret', 'apiUrl'> = {
  name: 'loom',
  displayName: 'Loom',
  credentials: {
    account: keyVariable('LOOM_ACCOUNT', 'acc_…'),
    secret: keyVariable('LOOM_SECRET', 'sec_…'),
  },
  urls: { apiUrl: urlVariable('LOOM_API_URL', 'https://api.loom.example') },
  isForProduction: true,
  mediaHosts: ['files.loom.example'],
  webhooksFrom: 'loom-events',
  callbacksFrom: 'apiUrl',
  simulator: 'loom',
  async createAdapter({ credentials, urls, fetch }) {
    const { createLoomAdapter } = await import('./adapter.ts');
    return createLoomAdapter({ ...credentials, ...urls, fetch });
  },
};
