/** The worker's task for pushes. It may run twice. */
import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import { type SendPushContext, sendPush } from './send-push.ts';

const PushPayload = z.object({ push_id: z.uuid() });

/** Where this runtime cannot send, the tasks are left to a worker that can. */
export function pushTasks(ctx: SendPushContext): Tasks {
  if (ctx.push?.send === null) return {};
  return { send_push: (payload, { signal }) => sendPush(ctx, PushPayload.parse(payload).push_id, signal) };
}
