import { matchedRoutes } from 'hono/route';
import type { HttpContext } from './env.ts';

/** What a parameter of a pattern accepts: it names nothing. */
const EXPRESSION = /\{.*?\}(?=\/|$)/g;

/** Returns the pattern of the matched route, such as `/storage/v1/object/:bucket/*`; `none` if no route matched. */
export function routeOf(c: HttpContext): string {
  const path = matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
  return path.includes('{') ? path.replace(EXPRESSION, '') : path;
}
