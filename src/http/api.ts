/** The pieces that every route is declared with: one schema gives the types, the 400s and the OpenAPI document. */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import { parseUuid } from '../kernel/ids.ts';
import type { HttpEnv } from './env.ts';
import { refuseInvalid } from './validate.ts';

export type Api = OpenAPIHono<HttpEnv>;

export function createApi(): Api {
  return new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid() });
}

/** A UUID of any version and case, in lower case from here on. */
export const uuid = z
  .string()
  .refine((text) => parseUuid(text) !== null)
  .transform((text) => text.toLowerCase())
  .openapi({ type: 'string', format: 'uuid', example: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' });

/** A moment in UTC, to the millisecond. */
export const time = z.string().openapi({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' });

/** A whole number of credits. */
export const credits = (description: string) => z.int().openapi({ description: `${description}, in credits.` });

/** Optional everywhere: the caller is known by the token, and this is only compared with it. */
export const userIdCheck = z.object({
  user_id: z
    .string()
    .optional()
    .openapi({ format: 'uuid', description: 'Only checked against the token: another user’s id is 403.' }),
});
