/** Schemas of environment variables that gateways declare too. A message says what is wrong without repeating the value. */
import { z } from 'zod';

/** Printable ASCII without spaces: what may stand in a header. */
export function token() {
  return z.string().regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII without spaces' });
}

/** An http(s) URL to which paths are appended: no query, fragment, user or slash at its end. */
export function baseUrl() {
  return z.string().transform((text, ctx) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const usable = url && /^https?:$/.test(url.protocol) && !/[?#]/.test(text) && !url.username && !url.password;
    if (usable) return url.href.replace(/\/+$/, '');
    ctx.addIssue({ code: 'custom', message: 'must be an http(s) URL without a query, a fragment or a user' });
    return z.NEVER;
  });
}
