import type { HttpContext } from '../../../http/env.ts';
import { NoAccess } from '../../../http/no-access.ts';
import type { Router } from '../../../http/route.ts';
import { Problem } from '../../../kernel/errors.ts';
import { sha256Hex } from '../../../kernel/hash.ts';
import type { Context } from '../../context.ts';
import { GET_METRICS } from './openapi.ts';

/** Who may read the metrics: with a `token`, who sends it; without, this machine itself. */
export type MetricsAccess = { token: string | undefined; isLocal(c: HttpContext): boolean };

/** The operator chooses the token: it may hold more characters than those of ours. */
const BEARER = /^Bearer +(\S+)$/i;

/** `GET /metrics`. Throws ERR_4005: 401 for a wrong token or none, 403 for another machine; ERR_4017 where nothing is counted. */
export function metricsRoutes(router: Router, ctx: Pick<Context, 'exportMetrics'>, access: MetricsAccess): void {
  router.add(GET_METRICS, async (c) => {
    await checkAccess(c, access);
    if (!ctx.exportMetrics) throw new Problem('ERR_4017', { details: { feature: 'metrics' } });
    const { contentType, text } = await ctx.exportMetrics();
    return c.body(text, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  });
}

async function checkAccess(c: HttpContext, { token, isLocal }: MetricsAccess): Promise<void> {
  if (token === undefined) {
    if (!isLocal(c)) throw new Problem('ERR_4005', { status: 403 });
    return;
  }
  const header = c.req.header('Authorization')?.trim() ?? '';
  if (header === '') throw new NoAccess('missing');
  const [, given] = BEARER.exec(header) ?? [];
  if (given === undefined) throw new NoAccess('malformed');
  // Hashes, because the time that comparing two texts takes shows how much of them agrees.
  if ((await sha256Hex(given)) !== (await sha256Hex(token))) throw new NoAccess('bad_token');
}
