import type { Config } from '../app/config.ts';
import { isLocalCall } from '../app/loopback.ts';
import type { MetricsAccess } from '../features/maintenance/http/metrics-routes.ts';
import type { HttpContext } from '../http/env.ts';

/** Who may read this process's metrics, by its configuration and what the runtime knows of a connection. */
export function metricsAccess(
  { settings, secrets }: Config,
  socketIpOf: (c: HttpContext) => string | undefined,
): MetricsAccess {
  const { trustedProxyHops } = settings.server;
  return {
    token: secrets.metricsToken?.reveal(),
    isLocal: (c) =>
      isLocalCall({ socketIp: socketIpOf(c), xForwardedFor: c.req.header('X-Forwarded-For'), trustedProxyHops }),
  };
}
