/** The HTTP application of a worker that runs alone: its metrics, and nothing else. */
import type { Context } from '../features/context.ts';
import { type MetricsAccess, metricsRoutes } from '../features/maintenance/http/metrics-routes.ts';
import { type Api, createApi } from '../http/api.ts';
import { jsonBody } from '../http/json-body.ts';
import { errorHandler } from '../http/problem.ts';
import { requestId } from '../http/request-id.ts';
import { createRouter } from '../http/route.ts';
import { unrouted } from '../http/unrouted.ts';

/** Its one route is public, and takes no body. */
const OPEN = { plain: null, json: jsonBody() };

export function createMetricsHttp(ctx: Pick<Context, 'exportMetrics' | 'log' | 'newUuid'>, access: MetricsAccess): Api {
  const api = createApi();
  api.use(requestId(ctx.newUuid));
  metricsRoutes(createRouter(api, { user: OPEN, admin: OPEN, public: OPEN }), ctx, access);
  api.onError(errorHandler(ctx.log));
  api.notFound(unrouted(api));
  return api;
}
