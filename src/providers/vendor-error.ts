/** Reads a vendor's explanation of an error, in whichever shape it comes: text, a list, an object, or one inside another. */

type Line = { place: string; text: string };

/** `names` are types and codes for machines. Inputs, which quote the user, are not read. */
export type VendorError = { names: string[]; lines: Line[] };

const TEXT_FIELDS = [
  ...['error', 'errors', 'detail', 'details', 'msg', 'message', 'reason', 'issues'],
  ...['failure', 'failureReason', 'failure_reason', 'error_message', 'errorMessage'],
];
const NAME_FIELDS = [
  'type',
  'error_type',
  'errorType',
  'code',
  'error_code',
  'errorCode',
  'failureCode',
  'failure_code',
];
const NAME = /^[A-Za-z][\w.-]{1,99}$/;
const DEPTH_MAX = 4;
const LINES_MAX = 20;

export function readVendorError(body: unknown): VendorError {
  const error: VendorError = { names: [], lines: [] };
  if (typeof body === 'object') collect(body, '', error, 0);
  return error;
}

/** All lines in one, each after its place. */
export function messageIn({ lines }: VendorError): string {
  return lines.map(({ place, text }) => (place === '' ? text : `${place}: ${text}`)).join('; ');
}

function collect(value: unknown, place: string, into: VendorError, depth: number): void {
  if (depth > DEPTH_MAX || into.lines.length >= LINES_MAX) return;
  if (typeof value === 'string') {
    if (value.trim() !== '') into.lines.push({ place, text: value });
  } else if (Array.isArray(value)) {
    for (const each of value.slice(0, LINES_MAX)) collect(each, place, into, depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    collectFields(value as Record<string, unknown>, place, into, depth);
  }
}

function collectFields(fields: Record<string, unknown>, outer: string, into: VendorError, depth: number): void {
  const names = NAME_FIELDS.map((name) => fields[name]).filter((name) => typeof name === 'string' && NAME.test(name));
  into.names.push(...names.map(String));
  const { loc, path, type } = fields;
  const parts = [loc, path].find((each) => Array.isArray(each)) ?? [];
  const own = [parts.map(String).join('.'), depth > 0 && typeof type === 'string' ? type : ''];
  const place = own.filter((part) => part !== '').join(' ') || outer;
  for (const name of TEXT_FIELDS) collect(fields[name], place, into, depth + 1);
}
