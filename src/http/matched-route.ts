import { matchedRoutes } from 'hono/route';
import type { HttpContext } from './env.ts';

/** Returns the pattern of the matched route, such as `/storage/v1/object/:bucket/*`; `none` if no route matched. */
export function routeOf(c: HttpContext): string {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
}
