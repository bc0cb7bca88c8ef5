/** fal.ai, and Pika, which is sold through fal under a name and a key of its own. */
import { keyVariable, type ProviderManifest, urlVariable } from '../manifest.ts';

type FalManifest = ProviderManifest<'apiKey', 'queueUrl' | 'restUrl'>;

const KEY = 'FALAI_API_KEY';
const KEY_EXAMPLE = 'key_id:key_secret';

const SHARED = {
  urls: {
    queueUrl: urlVariable('FAL_QUEUE_URL', 'https://queue.fal.run'),
    restUrl: urlVariable('FAL_REST_URL', 'https://rest.fal.ai'),
  },
  isForProduction: true,
  // fal adds hosts as it grows (`v3.`, `v3b.`); all of them are fal's.
  mediaHosts: ['fal.media', '*.fal.media'],
  webhooksFrom: 'fal',
  callbacksFrom: 'queueUrl',
  simulator: 'fal',
  tryConnection: async (connection, signal) => (await import('./try-connection.ts')).tryFal(connection, signal),
} satisfies Partial<FalManifest>;

function createAdapterAs(name: 'fal' | 'pika'): FalManifest['createAdapter'] {
  return async ({ credentials, urls, fetch }, { clock, log, onRefusedKey }) => {
    const { createFalAdapter } = await import('./index.ts');
    return createFalAdapter({ name, ...credentials, ...urls, fetch, clock, log, onRefusedKey });
  };
}

export const fal: FalManifest = {
  ...SHARED,
  name: 'fal',
  displayName: 'fal',
  credentials: { apiKey: keyVariable(KEY, KEY_EXAMPLE) },
  createAdapter: createAdapterAs('fal'),
};

export const pika: FalManifest = {
  ...SHARED,
  name: 'pika',
  displayName: 'Pika',
  credentials: { apiKey: keyVariable('PIKA_API_KEY', KEY_EXAMPLE, { fallback: KEY }) },
  createAdapter: createAdapterAs('pika'),
};
