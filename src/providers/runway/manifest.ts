import { keyVariable, type ProviderManifest, urlVariable } from '../manifest.ts';

/** Runway sends no webhooks; it needs the callback URL only to fetch images. */
export const runway: ProviderManifest<'apiKey', 'baseUrl'> = {
  name: 'runway',
  displayName: 'Runway',
  credentials: { apiKey: keyVariable('RUNWAY_API_KEY', 'key_…') },
  urls: { baseUrl: urlVariable('RUNWAY_API_URL', 'https://api.dev.runwayml.com') },
  isForProduction: true,
  // The distribution that Runway documents its outputs on, and its own domain. Not all of CloudFront, where anyone can rent a
  // host: should Runway move, MEDIA_ALLOWED_HOSTS can name further hosts.
  mediaHosts: ['dnznrvs05pmza.cloudfront.net', '*.runwayml.com'],
  callbacksFrom: 'baseUrl',
  simulator: 'runway',
  tryConnection: async (connection, signal) => (await import('./try-connection.ts')).tryRunway(connection, signal),
  async createAdapter({ credentials, urls, fetch }, { clock, log, onRefusedKey }) {
    const { createRunwayAdapter } = await import('./index.ts');
    return createRunwayAdapter({ ...credentials, ...urls, fetch, clock, log, onRefusedKey });
  },
};
