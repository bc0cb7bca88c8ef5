/** What can go wrong with a webhook of fal's. */
import { z } from 'zod';

/** Ways to sign an event that must be refused; `foreign` is a genuine event about another customer's job. */
export const forgeryShape = z.enum(['other_key', 'changed_body', 'stale', 'future', 'unsigned', 'foreign']);
export type Forgery = z.infer<typeof forgeryShape>;

/** Applies to the next event. Faults are used up in the order in which they were planned. */
export const webhookFaultShape = z.discriminatedUnion('fault', [
  z.object({ fault: z.literal('lose') }),
  z.object({ fault: z.literal('delay'), ms: z.int().min(0) }),
  z.object({ fault: z.literal('repeat'), times: z.int().min(2) }),
  /** It is sent right after the event that follows it. */
  z.object({ fault: z.literal('reorder') }),
  /** Instead of the genuine one. */
  z.object({ fault: z.literal('forge'), as: forgeryShape }),
  z.object({ fault: z.literal('no_payload') }),
  /** The job ends, and its event is delivered, before its submit is answered. */
  z.object({ fault: z.literal('early') }),
]);
export type WebhookFault = z.infer<typeof webhookFaultShape>;
