/** The pushes that devices have got, as files that processes share. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { openRecords } from '../records.ts';
import type { PushRequest } from './judge.ts';

const shape = z.object({
  id: z.string(),
  environment: z.enum(['production', 'sandbox']),
  token: z.string(),
  topic: z.string(),
  type: z.string(),
  priority: z.number(),
  expiration: z.number(),
  collapseId: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
  receivedAtMs: z.number(),
  /** How often Apple was given it: with the same id the device shows it once. */
  copies: z.number(),
});

export type ReceivedPush = z.output<typeof shape>;

const KEPT_MS = 24 * 3_600_000;

export async function openInbox(dataDir: string, clock: Clock) {
  const nowMs = () => clock.now().getTime();
  const records = await openRecords<ReceivedPush>({
    folder: join(dataDir, 'simulators', 'apns'),
    shape,
    idOf: ({ id }) => id,
    atMsOf: ({ receivedAtMs }) => receivedAtMs,
  });
  await records.deleteBefore(nowMs() - KEPT_MS);
  return {
    async deliver(push: PushRequest): Promise<void> {
      const id = push.id.toLowerCase();
      const earlier = await records.read(id);
      await records.write({ ...push, id, receivedAtMs: nowMs(), copies: (earlier?.copies ?? 0) + 1 });
    },
    /** Oldest first. */
    list: records.list,
  };
}

export type Inbox = Awaited<ReturnType<typeof openInbox>>;
