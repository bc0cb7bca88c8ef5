import { type FileHandle, open } from 'node:fs/promises';

/** Opens a file for `await using`: the handles of Deno 2.1, which Supabase runs, cannot yet dispose of themselves. */
export async function openFile(...wish: Parameters<typeof open>): Promise<FileHandle> {
  const handle = await open(...wish);
  handle[Symbol.asyncDispose] ??= () => handle.close();
  return handle;
}
