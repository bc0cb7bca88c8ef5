import { z } from 'zod';
import { spanShape } from '../pace.ts';
import { openRecords, type Records } from '../records.ts';
import { outcomeShape } from './outcome.ts';

/** A job in fal's queue. */
const jobShape = z.object({
  requestId: z.uuid(),
  endpoint: z.string(),
  owner: z.string(),
  /** Where the caller found the queue: its own address, or this machine's. */
  origin: z.string(),
  input: z.record(z.string(), z.unknown()),
  webhookUrl: z.string().nullable(),
  outcome: outcomeShape,
  ...spanShape.shape,
  isCancelled: z.boolean(),
  /** Nothing more is owed to the webhook's address. */
  isTold: z.boolean(),
});

export type Job = z.infer<typeof jobShape>;

/** fal keeps results for so long. */
export const KEPT_MS = 7 * 24 * 3_600_000;

export type JobStore = Records<Job>;

export function openJobStore(folder: string): Promise<JobStore> {
  const [idOf, atMsOf] = [({ requestId }: Job) => requestId, ({ takenAtMs }: Job) => takenAtMs];
  return openRecords({ folder, shape: jobShape, idOf, atMsOf });
}
