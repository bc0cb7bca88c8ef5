import type { HttpContext } from './env.ts';

/** The server's own address for the URLs it hands out: as configured, else as this request reached it. */
export function originOf(c: HttpContext): string {
  return c.get('publicUrl') ?? new URL(c.req.url).origin;
}
