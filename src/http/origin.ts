import type { HttpContext } from './env.ts';

/** Returns the base of the URLs in responses: the configured public URL, else the origin of this request. */
export function originOf(c: HttpContext): string {
  return c.get('publicUrl') ?? new URL(c.req.url).origin;
}
