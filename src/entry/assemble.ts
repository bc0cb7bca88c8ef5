import { createHttp } from '../app/http.ts';
import type { Api } from '../http/api.ts';
import { clientIp } from '../http/client-ip.ts';
import type { HttpContext } from '../http/env.ts';
import type { Boot } from './boot.ts';
import { addDocs } from './docs-page.ts';
import { metricsAccess } from './metrics-access.ts';
import { addPages } from './pages.ts';
import { addSimulatedPages } from './simulated-pages.ts';

export type AssembleOptions = {
  /** The IP address at the other end of the request's connection. */
  socketIpOf(c: HttpContext): string | undefined;
  isWorking: () => boolean | null;
};

/** The API and the pages as one application, for every runtime. */
export function assemble(
  { config, running, simulatedPages }: Pick<Boot, 'config' | 'running' | 'simulatedPages'>,
  { socketIpOf, isWorking }: AssembleOptions,
): Api {
  const { server } = config.settings;
  const api = createHttp(running.ctx, {
    publicUrl: server.publicUrl,
    trustedProxyHops: server.trustedProxyHops,
    corsOrigins: server.corsOrigins,
    anonKey: config.secrets.supabase?.anonKey.reveal(),
    appleAuthorizePath: simulatedPages?.authorizePath ?? null,
    appStorePath: simulatedPages?.storePath ?? null,
    ipOf: (c) => clientIp(socketIpOf(c), c.req.header('X-Forwarded-For'), server.trustedProxyHops),
    isWorking,
    metrics: metricsAccess(config, socketIpOf),
  });
  addPages(api);
  if (simulatedPages) addSimulatedPages(api, simulatedPages);
  addDocs(api, { simulatesDeviceCheck: config.settings.simulated.deviceCheck });
  return api;
}
