/** Shapes of changes to accounts and jobs. */
import { z } from '@hono/zod-openapi';
import { credits, uuid } from '../../../http/api.ts';
import { CREDITS_OF_CHANGE_MAX, reason } from './schemas.ts';

export const AdjustBody = z.object({
  user_id: uuid,
  amount: z
    .int()
    .min(-CREDITS_OF_CHANGE_MAX)
    .max(CREDITS_OF_CHANGE_MAX)
    .refine((amount) => amount !== 0)
    .openapi({ description: 'Credits to add, or to take if negative; not 0.' }),
  reason,
});

export const UserBody = z.object({ user_id: uuid, reason });

export const JobBody = z.object({ job_id: uuid, reason });

export const Cancelled = z
  .object({ success: z.literal(true), refunded: credits('What was given back') })
  .openapi('CancelledByAdmin');
