import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';

const NAME = /^[0-9a-f-]{36}\.json$/;

export type RecordsOptions<T> = {
  folder: string;
  shape: z.ZodType<T>;
  /** A UUID. */
  idOf(record: T): string;
  /** When it was created, in milliseconds; or another number that grows with each record. */
  atMsOf(record: T): number;
};

/**
 * Keeps records in `folder`, one small file each, so that processes can share them and a restart loses none. A file of
 * another shape, which another version of this code wrote, counts as absent.
 */
export async function openRecords<T>({ folder, shape, idOf, atMsOf }: RecordsOptions<T>) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileOf = (id: string) => join(folder, `${id}.json`);

  async function read(id: string): Promise<T | undefined> {
    const text = await readFile(fileOf(id), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : shape.safeParse(JSON.parse(text)).data;
  }

  /** Atomically: a reader sees the old record or the new one. */
  async function write(record: T): Promise<void> {
    const file = fileOf(idOf(record));
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, `${JSON.stringify(record)}\n`);
    await rename(draft, file);
  }

  /** Oldest first. */
  async function list(): Promise<T[]> {
    const names = (await readdir(folder)).filter((name) => NAME.test(name));
    const records = await Promise.all(names.map((name) => read(name.replace('.json', ''))));
    return records.filter((record) => record !== undefined).sort((a, b) => atMsOf(a) - atMsOf(b));
  }

  return {
    read,
    write,
    list,
    /** Returns the changed record. Throws where there is no such record. */
    async change(id: string, changed: Partial<T>): Promise<T> {
      const record = await read(id);
      if (!record) throw new Error(`no simulated record ${id}`);
      const next = { ...record, ...changed };
      await write(next);
      return next;
    },
    async deleteBefore(atMs: number): Promise<void> {
      const old = (await list()).filter((record) => atMsOf(record) < atMs);
      await Promise.all(old.map((record) => rm(fileOf(idOf(record)), { force: true })));
    },
  };
}

export type Records<T> = Awaited<ReturnType<typeof openRecords<T>>>;
