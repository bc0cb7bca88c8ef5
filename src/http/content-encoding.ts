import { Problem } from '../kernel/errors.ts';

/** Throws ERR_4015 for a compressed body: what it unpacks to could be of any size. */
export function rejectEncoding(headers: Headers): void {
  const encoding = headers.get('Content-Encoding')?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return;
  throw new Problem('ERR_4015', {
    details: { field: 'Content-Encoding', reason: 'compressed', allowed: ['identity'] },
  });
}
