/** Checks one image file. Runs only in a child process, because decoders crash and hang on hostile files. */
import { checkFile, type ImageVerdict } from './image-check.ts';

export type CheckImageTask = { path: string };

export function checkImage({ path }: CheckImageTask): Promise<ImageVerdict> {
  // The native library is loaded for the one type that needs it.
  return checkFile(path, async (webp) => (await import('./decode-webp.ts')).decodesWebp(webp));
}
