/** Undoes the content coding of a response: some hosts compress files whatever the request accepts. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** A host that applies more codings than this wants to exhaust us. */
const CODINGS_MAX = 3;

/** The decoded body. Removes from `headers` what was true of the coded one; an unknown coding is left as it is. */
export function decodeContent(message: IncomingMessage, headers: Headers): Readable {
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',');
  const applied = codings.map((coding) => coding.trim()).filter((coding) => coding !== '' && coding !== 'identity');
  const decoders = applied.map((coding) => DECODERS[coding]).filter((decoder) => decoder !== undefined);
  if (applied.length === 0 || decoders.length < applied.length || applied.length > CODINGS_MAX) return message;
  headers.delete('content-encoding');
  // The length of the coded body, which Node has checked.
  headers.delete('content-length');
  return decoders.reverse().reduce<Readable>((body, create) => {
    const decoder = create();
    // An error of any of the streams ends the last one, whose reader sees it.
    pipeline(body, decoder, () => {});
    return decoder;
  }, message);
}
