/** Finds the file in a multipart form (RFC 7578). Deno's parser drops parts without a name, as Supabase's clients send. */
import { Buffer } from 'node:buffer';
import { Problem } from '../kernel/errors.ts';

const HEAD_BYTES_MAX = 8 * 1024;
const PARTS_MAX = 20;
const BOUNDARY = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;

/** Returns the first part that is a file, under any name; null if there is none. Throws ERR_4006 for a malformed form. */
export function filePartOf(form: Uint8Array, contentType: string): Uint8Array | null {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed('Content-Type');
  const bytes = Buffer.from(form.buffer, form.byteOffset, form.byteLength);
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The body may begin with the first delimiter.
  let at = bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)) ? -2 : bytes.indexOf(delimiter);
  if (at === -1) throw malformed();
  for (let parts = 0; parts < PARTS_MAX; parts += 1) {
    const from = at + delimiter.length;
    if (bytes.toString('latin1', from, from + 2) === '--') return null;
    const headEnd = bytes.indexOf('\r\n\r\n', from);
    const end = bytes.indexOf(delimiter, headEnd);
    if (headEnd === -1 || headEnd - from > HEAD_BYTES_MAX || end === -1) throw malformed();
    if (isFile(bytes.toString('latin1', from, headEnd))) return bytes.subarray(headEnd + 4, Math.max(headEnd + 4, end));
    at = end;
  }
  throw malformed();
}

/** A form field has a name and holds text. A part without a name is the file that Supabase's storage clients send. */
function isFile(head: string): boolean {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  return (
    /;\s*filename\*?=/i.test(disposition) ||
    /;\s*name=""/i.test(disposition) ||
    /^content-type:\s*(?!text\/)\S/im.test(head)
  );
}

function malformed(field = 'body'): Problem {
  return new Problem('ERR_4006', { details: { field, reason: 'malformed_form' } });
}
