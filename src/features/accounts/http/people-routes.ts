/** Sign in with Apple, sessions, export and deletion. */
import { callerId, callerIds, callerSessionId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { rateLimited } from '../../../http/rate-limit.ts';
import type { Router } from '../../../http/route.ts';
import { streamText } from '../../../http/stream-text.ts';
import type { Context } from '../../context.ts';
import { receiveAppleNotification } from '../apple-notification.ts';
import { deleteAccount } from '../delete-account.ts';
import { exportAccount } from '../export-account.ts';
import { mergeGuest } from '../merge.ts';
import { readProfile } from '../profile.ts';
import { listSessions, revokeSession } from '../sessions.ts';
import { presentSession } from './auth-schemas.ts';
import {
  APPLE_ACCOUNT_NOTIFICATIONS,
  DELETE_ACCOUNT,
  EXPORT_ACCOUNT,
  GET_SESSIONS,
  MERGE_GUEST,
  REVOKE_SESSION,
} from './people-openapi.ts';
import { presentProfile } from './schemas.ts';

/** An export reads all that an account has, as fast as its reader takes it: one at a time for each account. */
const BUSY = { policy: 'exports', limit: 1, windowSeconds: null, remaining: 0, resetSeconds: 10 } as const;

export function peopleRoutes(router: Router, ctx: Context): void {
  router.add(MERGE_GUEST, async (c) => {
    const body = c.req.valid('json');
    const session = await mergeGuest(ctx, {
      // The token's own id: a guest that was merged before repeats its call with it.
      userId: callerId(c),
      sessionId: callerSessionId(c),
      callerIds: callerIds(c),
      identityToken: body.identity_token,
      nonce: body.nonce ?? null,
      authorizationCode: body.authorization_code ?? null,
      deviceId: body.device_id ?? null,
      appleSub: body.apple_sub ?? null,
    });
    const user = presentProfile(await readProfile(ctx, session.user.id));
    return c.json({ success: true as const, user, session: presentSession(session) }, 200);
  });

  router.add(GET_SESSIONS, async (c) => {
    const current = callerSessionId(c);
    const sessions = (await listSessions(ctx, callerId(c))).map(({ id, created_at, refreshed_at }) => ({
      id,
      created_at: created_at.toISOString(),
      refreshed_at: refreshed_at.toISOString(),
      is_current: id === current,
    }));
    return c.json({ sessions }, 200);
  });
  router.add(REVOKE_SESSION, async (c) => {
    await revokeSession(ctx, callerId(c), c.req.valid('json').session_id);
    return c.json({ success: true as const }, 200);
  });

  const exporting = new Set<string>();
  router.add(EXPORT_ACCOUNT, (c) => sendExport(c, ctx, exporting));
  router.add(DELETE_ACCOUNT, async (c) => {
    await deleteAccount(ctx, callerId(c));
    return c.json({ success: true as const }, 200);
  });

  router.add(APPLE_ACCOUNT_NOTIFICATIONS, async (c) => {
    await receiveAppleNotification(ctx, c.req.valid('json').payload);
    return c.json({ success: true as const }, 200);
  });
}

/** `exporting`: the accounts whose export is being sent by this process. */
function sendExport(c: HttpContext, ctx: Context, exporting: Set<string>): Response {
  const userId = callerId(c);
  if (exporting.has(userId)) throw rateLimited(BUSY);
  c.header('Content-Type', 'application/json; charset=utf-8');
  c.header('Content-Disposition', 'attachment; filename="account.json"');
  c.header('Cache-Control', 'no-store');
  exporting.add(userId);
  const onEnd = () => exporting.delete(userId);
  return c.body(streamText(exportAccount(ctx, userId), { log: ctx.log, signal: c.req.raw.signal, onEnd }));
}
