import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { adjustCredits } from '../adjust-credits.ts';
import { banUser } from '../ban-user.ts';
import { cancelJob } from '../cancel-job.ts';
import { createCode } from '../create-code.ts';
import { refundCredits } from '../refund-credits.ts';
import { toggleModel } from '../toggle-model.ts';
import { unbanUser } from '../unban-user.ts';
import { updateModel } from '../update-model.ts';
import { updateProduct } from '../update-product.ts';
import { adminCallOf } from './admin-call.ts';
import { CREATE_CODE, TOGGLE_MODEL, UPDATE_MODEL, UPDATE_PRODUCT } from './catalogue-change-openapi.ts';
import { ADJUST_CREDITS, BAN_USER, CANCEL_JOB, UNBAN_USER } from './change-openapi.ts';
import { REFUND_CREDITS } from './openapi.ts';

export function changeRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(REFUND_CREDITS, async (c) => replayable(c, await refundCredits(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(ADJUST_CREDITS, async (c) => replayable(c, await adjustCredits(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(BAN_USER, async (c) => replayable(c, await banUser(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(UNBAN_USER, async (c) => replayable(c, await unbanUser(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(CANCEL_JOB, async (c) => replayable(c, await cancelJob(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(TOGGLE_MODEL, async (c) => replayable(c, await toggleModel(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(UPDATE_MODEL, async (c) => replayable(c, await updateModel(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(CREATE_CODE, async (c) => replayable(c, await createCode(ctx, adminCallOf(c), c.req.valid('json'))));
  router.add(UPDATE_PRODUCT, async (c) => replayable(c, await updateProduct(ctx, adminCallOf(c), c.req.valid('json'))));
}
