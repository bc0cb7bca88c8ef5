import { callerId } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { readBalance } from '../balance.ts';
import { explainPage } from '../explain.ts';
import { readHistory } from '../history.ts';
import { redeemCode } from '../redeem.ts';
import { EXPLAIN_BALANCE } from './explain-openapi.ts';
import { GET_CREDITS, GET_HISTORY, REDEEM_CODE } from './openapi.ts';

export function creditRoutes(router: Router, ctx: Pick<Context, 'db' | 'log' | 'policy'>, ipOf: IpReader): void {
  router.add(GET_CREDITS, async (c) => c.json({ credits_remaining: await readBalance(ctx, callerId(c)) }, 200));

  router.add(GET_HISTORY, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const page = await readHistory(ctx, callerId(c), { limit, afterSeq: cursor });
    const transactions = page.transactions.map(({ seq: _, created_at, ...row }) => ({
      ...row,
      created_at: created_at.toISOString(),
    }));
    return c.json({ transactions, next_cursor: page.nextSeq === null ? null : encodeCursor(page.nextSeq) }, 200);
  });

  router.add(EXPLAIN_BALANCE, async (c) => {
    const { user_id, cursor } = c.req.valid('query');
    const explained = await explainPage(ctx, user_id, cursor);
    if (!explained) throw new Problem('ERR_4007', { details: { field: 'user_id' } });
    return c.json(explained, 200);
  });

  router.add(REDEEM_CODE, async (c) => {
    const { code } = c.req.valid('json');
    const input = { userId: callerId(c), code, ip: ipOf(c), idempotencyKey: readIdempotencyKey(c) };
    return replayable(c, await redeemCode(ctx, input));
  });
}
