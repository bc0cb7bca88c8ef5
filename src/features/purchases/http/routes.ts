import type { z } from '@hono/zod-openapi';
import { callerId } from '../../../http/caller.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import { ownTurn } from '../../../http/own-turn.ts';
import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { claimPurchase, type Proof } from '../claim.ts';
import { receiveNotification } from '../notification.ts';
import { counted } from './counted.ts';
import { APP_STORE_NOTIFICATIONS, UPDATE_CREDITS } from './openapi.ts';
import type { UpdateCreditsBody } from './schemas.ts';

export function purchaseRoutes(router: Router, ctx: Context): void {
  router.add({ ...UPDATE_CREDITS, middleware: counted(ctx) }, async (c) => {
    const idempotencyKey = readIdempotencyKey(c);
    const proof = proofIn(c.req.valid('json'));
    // Certificates take milliseconds to read, whoever sends them.
    await ownTurn();
    const answer = await claimPurchase(ctx, { userId: callerId(c), proof, idempotencyKey });
    return replayable(c, answer);
  });

  router.add(APP_STORE_NOTIFICATIONS, async (c) => {
    await ownTurn();
    await receiveNotification(ctx, c.req.valid('json').signedPayload);
    return c.json({ success: true as const }, 200);
  });
}

/** Throws ERR_4006 unless exactly one of the two is given. */
function proofIn(body: z.output<typeof UpdateCreditsBody>): Proof {
  const { transaction_id: transactionId, signed_transaction: signedTransaction } = body;
  if (transactionId && signedTransaction) throw new Problem('ERR_4006', { details: { field: 'signed_transaction' } });
  if (signedTransaction) return { signedTransaction };
  if (transactionId) return { transactionId };
  throw new Problem('ERR_4006', { details: { field: 'transaction_id', reason: 'missing' } });
}
