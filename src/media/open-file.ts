import { type FileHandle, open } from 'node:fs/promises';

/** Opens a file for `await using`: the file handles of Deno 2.1, which Supabase runs, have no `Symbol.asyncDispose`. */
export async function openFile(...args: Parameters<typeof open>): Promise<FileHandle> {
  const handle = await open(...args);
  handle[Symbol.asyncDispose] ??= () => handle.close();
  return handle;
}
