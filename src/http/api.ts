/** Schemas that many routes share. One schema gives the types, the validation (400) and the OpenAPI document. */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import { parseUuid } from '../kernel/ids.ts';
import type { HttpEnv } from './env.ts';
import { rejectInvalid } from './validate.ts';

export type Api = OpenAPIHono<HttpEnv>;

export function createApi(): Api {
  return new OpenAPIHono<HttpEnv>({ defaultHook: rejectInvalid() });
}

/** A UUID of any version, in upper or lower case; parsed to lower case. */
export const uuid = z
  .string()
  .refine((text) => parseUuid(text) !== null)
  .transform((text) => text.toLowerCase())
  .openapi({ type: 'string', format: 'uuid', example: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' });

/** A time in UTC, in ISO 8601 with milliseconds. */
export const time = z.string().openapi({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' });

/** A whole number of credits. */
export const credits = (description: string) => z.int().openapi({ description: `${description}, in credits.` });

const USER_ID = {
  format: 'uuid',
  description: 'Only compared with the access token. Another user’s id returns a 403.',
};

/** An optional `user_id` in a body. The access token identifies the caller; this value is only compared with it. */
export const userIdCheck = z.object({ user_id: z.string().nullish().openapi(USER_ID) });
/** The same in a query. */
export const userIdQuery = z.object({ user_id: z.string().optional().openapi(USER_ID) });
