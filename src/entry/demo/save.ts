import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { StartupError } from '../../kernel/startup-error.ts';

/** `rendio-a-cat-playing-piano.mp4`: a name that every file system accepts. */
export function fileNameFor(prompt: string): string {
  const words = prompt
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return `rendio-${words || 'video'}.mp4`;
}

/** Downloads a finished video to `path`, where it appears only when it is complete. */
export async function saveVideo(url: string, path: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new StartupError(`The video could not be downloaded (${response.status}).`);
  const part = `${path}.part`;
  try {
    await pipeline(response.body, createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
