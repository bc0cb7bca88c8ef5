import { callerId, callerSessionId } from '../../../http/caller.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { registerPushToken, unregisterPushToken } from '../push-token.ts';
import { REGISTER_PUSH_TOKEN, UNREGISTER_PUSH_TOKEN } from './push-openapi.ts';

export function pushRoutes(router: Router, ctx: Pick<Context, 'db' | 'push'>): void {
  router.add(REGISTER_PUSH_TOKEN, async (c) => {
    const { token, environment } = c.req.valid('json');
    await registerPushToken(ctx, { userId: callerId(c), sessionId: callerSessionId(c), token, environment });
    return c.json({ success: true as const }, 200);
  });
  router.add(UNREGISTER_PUSH_TOKEN, async (c) => {
    await unregisterPushToken(ctx, { userId: callerId(c), token: c.req.valid('json').token });
    return c.json({ success: true as const }, 200);
  });
}
