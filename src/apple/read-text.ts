import { readBytes } from './read-bytes.ts';

/** The text of the body, or why there is none: at `too_large`, reading stops at the limit. */
export type BodyText = { text: string } | { unreadable: 'too_large' };

/** Reads a body of at most `bytesMax` as UTF-8. Throws what the stream throws, and the signal's reason once it aborts. */
export async function readText(response: Response, bytesMax: number, signal: AbortSignal): Promise<BodyText> {
  const bytes = await readBytes(response, bytesMax, signal);
  return bytes ? { text: new TextDecoder().decode(bytes) } : { unreadable: 'too_large' };
}
