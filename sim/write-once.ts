import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/**
 * The content of `file`. The first process writes `made` into it; all processes that share the folder are one vendor.
 */
export async function writeOnce<T>(file: string, shape: z.ZodType<T>, made: T): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(made), { mode: 0o600 });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return shape.parse(JSON.parse(await readFile(file, 'utf8')));
}
