import { createHttp } from '../app/http.ts';
import type { Api } from '../http/api.ts';
import type { IpReader } from '../http/client-ip.ts';
import type { Boot } from './boot.ts';
import { addDocs } from './docs-page.ts';
import { addPages } from './pages.ts';
import { addSimulatedPages } from './simulated-pages.ts';

/** The API and the pages as one application, for every runtime. */
export function assemble(
  { config, running, simulatedPages }: Pick<Boot, 'config' | 'running' | 'simulatedPages'>,
  options: { ipOf: IpReader; isWorking: () => boolean | null },
): Api {
  const { server } = config.settings;
  const api = createHttp(running.ctx, {
    publicUrl: server.publicUrl,
    trustedProxyHops: server.trustedProxyHops,
    corsOrigins: server.corsOrigins,
    anonKey: config.secrets.supabase?.anonKey.reveal(),
    appleAuthorizePath: simulatedPages?.authorizePath ?? null,
    appStorePath: simulatedPages?.storePath ?? null,
    ...options,
  });
  addPages(api);
  if (simulatedPages) addSimulatedPages(api, simulatedPages);
  addDocs(api, { simulatesDeviceCheck: config.settings.simulated.deviceCheck });
  return api;
}
