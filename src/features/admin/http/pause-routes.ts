import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { pause } from '../pause.ts';
import { adminCallOf } from './admin-call.ts';
import { PAUSE } from './pause-openapi.ts';

export function pauseRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(PAUSE, async (c) => replayable(c, await pause(ctx, adminCallOf(c), c.req.valid('json'))));
}
