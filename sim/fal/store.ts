import { z } from 'zod';
import { openRecords, type Records } from '../records.ts';
import { scheduleShape } from '../timing.ts';
import { outcomeShape } from './outcome.ts';

/** A job in fal's queue. */
const jobShape = z.object({
  requestId: z.uuid(),
  endpoint: z.string(),
  owner: z.string(),
  /** Of the URL at which the caller reached the queue: fal's own, or this machine's. */
  origin: z.string(),
  input: z.record(z.string(), z.unknown()),
  webhookUrl: z.string().nullable(),
  outcome: outcomeShape,
  ...scheduleShape.shape,
  isCancelled: z.boolean(),
  /** No webhook has to be sent any more. */
  isNotified: z.boolean(),
});

export type Job = z.infer<typeof jobShape>;

/** As long as fal keeps results. */
export const KEPT_MS = 7 * 24 * 3_600_000;

export type JobStore = Records<Job>;

export function openJobStore(folder: string): Promise<JobStore> {
  const [idOf, atMsOf] = [({ requestId }: Job) => requestId, ({ acceptedAtMs }: Job) => acceptedAtMs];
  return openRecords({ folder, shape: jobShape, idOf, atMsOf });
}
