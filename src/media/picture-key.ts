import type { PictureType } from './picture.ts';
import type { MediaKey } from './store.ts';

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
} satisfies Record<PictureType, string>;

/** The row of an upload, as far as it names its file. */
export type UploadRow = { id: string; user_id: string; content_type: string };

/** Where one version of an upload lies. Its owner's name for it may mean another version tomorrow; this never does. */
export function uploadKey({ id, user_id, content_type }: UploadRow): MediaKey {
  return `user_uploads/${user_id}/${id}.${EXTENSIONS[content_type] ?? 'bin'}`;
}
