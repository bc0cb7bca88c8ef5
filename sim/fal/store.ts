import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { outcomeShape } from './outcome.ts';

/** A job in fal's queue. Times are in milliseconds; null: not until somebody says so. */
const jobShape = z.object({
  requestId: z.uuid(),
  endpoint: z.string(),
  owner: z.string(),
  /** Where the caller found the queue: its own address, or this machine's. */
  origin: z.string(),
  input: z.record(z.string(), z.unknown()),
  webhookUrl: z.string().nullable(),
  outcome: outcomeShape,
  takenAtMs: z.number(),
  startsAtMs: z.number().nullable(),
  endsAtMs: z.number().nullable(),
  isCancelled: z.boolean(),
  /** Nothing more is owed to the webhook's address. */
  isTold: z.boolean(),
});

export type Job = z.infer<typeof jobShape>;

/** fal keeps results for so long. */
const KEPT_MS = 7 * 24 * 3_600_000;
const NAME = /^[0-9a-f-]{36}\.json$/;

/** Keeps the jobs in `folder`, one small file each, so that processes can share them and a restart loses none. */
export async function openJobStore(folder: string) {
  await mkdir(folder, { recursive: true });
  const fileOf = (requestId: string) => join(folder, `${requestId}.json`);

  async function read(requestId: string): Promise<Job | undefined> {
    const text = await readFile(fileOf(requestId), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : jobShape.parse(JSON.parse(text));
  }

  return {
    read,
    /** Whole or not at all, whoever reads meanwhile. */
    async write(job: Job): Promise<void> {
      const file = fileOf(job.requestId);
      const draft = `${file}.${randomUUID()}`;
      await writeFile(draft, `${JSON.stringify(job)}\n`);
      await rename(draft, file);
    },
    /** Oldest first. */
    async list(): Promise<Job[]> {
      const names = (await readdir(folder)).filter((name) => NAME.test(name));
      const jobs = await Promise.all(names.map((name) => read(name.replace('.json', ''))));
      return jobs.filter((job) => job !== undefined).sort((a, b) => a.takenAtMs - b.takenAtMs);
    },
    async forgetBefore(nowMs: number): Promise<void> {
      const old = (await this.list()).filter(({ takenAtMs }) => takenAtMs < nowMs - KEPT_MS);
      await Promise.all(old.map(({ requestId }) => rm(fileOf(requestId), { force: true })));
    },
  };
}

export type JobStore = Awaited<ReturnType<typeof openJobStore>>;
