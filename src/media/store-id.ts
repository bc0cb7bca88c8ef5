/** The id that a media store holds, by which a process knows that it is the store of its database. */
import { rm, writeFile } from 'node:fs/promises';
import { parseUuid } from '../kernel/ids.ts';
import { type MediaStore, STORE_ID_KEY } from './store.ts';

/** Null if the store holds none. */
export async function readStoreId(store: Pick<MediaStore, 'read'>): Promise<string | null> {
  const stream = await store.read(STORE_ID_KEY);
  return stream && parseUuid((await new Response(stream).text()).trim());
}

/** `draft` is the path of a temporary file. */
export async function writeStoreId(store: Pick<MediaStore, 'putFile'>, id: string, draft: string): Promise<void> {
  try {
    await writeFile(draft, `${id}\n`, { mode: 0o600 });
    await store.putFile(STORE_ID_KEY, draft);
  } finally {
    await rm(draft, { force: true });
  }
}
