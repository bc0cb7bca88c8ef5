/** Finds the file in a multipart form (RFC 7578). Deno's parser drops parts without a name, as Supabase's clients send. */
import { Buffer } from 'node:buffer';
import { Problem } from '../kernel/errors.ts';

const HEAD_BYTES_MAX = 8 * 1024;
const PARTS_MAX = 20;
const HEAD_END = '\r\n\r\n';
const BOUNDARY = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;

type Part = { head: string; content: Uint8Array };

/** `file`: the part that is most clearly a file, null if none is. `metadata`: the text of the field of that name. */
export type FormFile = { file: Uint8Array | null; metadata: string | null };

/** Throws ERR_4006 for a malformed form. */
export function readFormFile(form: Uint8Array, contentType: string): FormFile {
  const parts = partsOf(form, contentType);
  const file = FILE_SIGNS.map((isFile) => parts.find(({ head }) => isFile(head))).find(Boolean) ?? null;
  const metadata = parts.find(
    (part) => part !== file && /;[ \t]*name="?metadata"?(?:;|\s*$)/i.test(dispositionOf(part.head)),
  );
  return { file: file?.content ?? null, metadata: metadata ? new TextDecoder().decode(metadata.content) : null };
}

function partsOf(form: Uint8Array, contentType: string): Part[] {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed('Content-Type');
  const bytes = Buffer.from(form.buffer, form.byteOffset, form.byteLength);
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The body may begin with the first delimiter.
  let at = bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)) ? -2 : bytes.indexOf(delimiter);
  const parts: Part[] = [];
  while (at !== -1 && parts.length < PARTS_MAX) {
    const from = at + delimiter.length;
    if (bytes.toString('latin1', from, from + 2) === '--') return parts;
    const headLength = bytes.subarray(from, from + HEAD_BYTES_MAX).indexOf(HEAD_END);
    const contentAt = from + headLength + HEAD_END.length;
    // The delimiter of an empty part begins with the end of its head.
    const end = bytes.indexOf(delimiter, contentAt - 2);
    if (headLength === -1 || end === -1) throw malformed();
    const head = bytes.toString('latin1', from, from + headLength);
    parts.push({ head, content: bytes.subarray(contentAt, Math.max(contentAt, end)) });
    at = end;
  }
  throw malformed();
}

const DATA_TYPE = /^content-type:[ \t]*(?:text\/|application\/(?:[\w.-]+\+)?json\b)/im;

/**
 * The clearest sign first. Supabase's clients send the file as a part whose name is empty. Fields may have a type (JSON), and
 * a page's form data gives every `Blob` a file name, even one that holds JSON.
 */
const FILE_SIGNS: ((head: string) => boolean)[] = [
  (head) => /;[ \t]*name=""/i.test(dispositionOf(head)),
  (head) => /^content-type:[ \t]*image\//im.test(head),
  (head) => hasFileName(head) && !DATA_TYPE.test(head),
  hasFileName,
  (head) => /^content-type:[ \t]*\S/im.test(head) && !DATA_TYPE.test(head),
];

function hasFileName(head: string): boolean {
  return /;[ \t]*filename\*?=(?!"")/i.test(dispositionOf(head));
}

function dispositionOf(head: string): string {
  return /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
}

function malformed(field = 'body'): Problem {
  return new Problem('ERR_4006', { details: { field, reason: 'malformed_form' } });
}
