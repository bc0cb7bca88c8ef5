import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { errorCodeOf } from '../../src/kernel/error-code.ts';

const storedShape = z.object({
  device: z.string(),
  bit0: z.boolean(),
  bit1: z.boolean(),
  /** `YYYY-MM`, as Apple writes it. */
  last_update_time: z.string(),
});

export type StoredBits = z.infer<typeof storedShape>;

function isMissing(error: unknown): boolean {
  return errorCodeOf(error) === 'ENOENT';
}

async function readStored(file: string): Promise<StoredBits | undefined> {
  try {
    return storedShape.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Error(`the simulated device in ${file} cannot be read: repair the file or delete it`, { cause: error });
  }
}

/** Keeps the bits in `folder`, one small file per device, so that processes can share them and a crash loses none. */
export async function openBitStore(folder: string, clock: Clock) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileOf = (device: string) => join(folder, `${createHash('sha256').update(device).digest('hex')}.json`);

  return {
    /** Undefined for a device whose bits were never set. */
    read(device: string): Promise<StoredBits | undefined> {
      return readStored(fileOf(device));
    },
    /** Atomically: a reader sees the old bits or the new ones. */
    async write(device: string, bits: { bit0: boolean; bit1: boolean }): Promise<void> {
      const stored: StoredBits = { device, ...bits, last_update_time: clock.now().toISOString().slice(0, 7) };
      const file = fileOf(device);
      const draft = `${file}.${randomUUID()}`;
      await writeFile(draft, `${JSON.stringify(stored)}\n`);
      await rename(draft, file);
    },
    async forget(device: string): Promise<void> {
      await rm(fileOf(device), { force: true });
    },
    async list(): Promise<StoredBits[]> {
      const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
      const found = await Promise.all(files.map((name) => readStored(join(folder, name))));
      return found.filter((bits) => bits !== undefined);
    },
  };
}

export type BitStore = Awaited<ReturnType<typeof openBitStore>>;
