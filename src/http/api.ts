/** The pieces that every route is declared with: one schema gives the types, the 400s and the OpenAPI document. */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { ERROR_STATUS, type ErrorCode } from '../kernel/errors.ts';
import { parseUuid } from '../kernel/ids.ts';
import type { HttpEnv } from './env.ts';
import { refuseInvalid } from './validate.ts';

export type Api = OpenAPIHono<HttpEnv>;

/** What stands before a route: who may call it, and what its body has to be. */
export type Guards = {
  /** Needs a living, unbanned account; takes no body. */
  user: MiddlewareHandler<HttpEnv>;
  /** The same, with a JSON body. */
  userWithBody: MiddlewareHandler<HttpEnv>;
  /** Needs nobody, takes a JSON body. */
  publicWithBody: MiddlewareHandler<HttpEnv>;
};

export function createApi(): Api {
  return new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid() });
}

/** A UUID of any version and case, in lower case from here on. */
export const uuid = z
  .string()
  .refine((text) => parseUuid(text) !== null)
  .transform((text) => text.toLowerCase())
  .openapi({ type: 'string', format: 'uuid', example: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' });

export const time = z.string().openapi({ format: 'date-time', example: '2026-11-23T09:30:00.000Z' });

/** Optional everywhere: the caller is known by the token, and this is only compared with it. */
export const userIdCheck = z.object({
  user_id: z.string().optional().openapi({ description: 'Only checked against the token: another user’s id is 403.' }),
});

const ErrorBody = z
  .object({
    error: z.object({
      code: z.string().openapi({ example: 'ERR_4001' }),
      message: z.string().openapi({ description: 'A sentence for people, in the language of `Accept-Language`.' }),
      details: z.record(z.string(), z.unknown()),
    }),
  })
  .openapi('Error');

/** A 200 with this schema and the errors that the route can answer with, grouped by status as OpenAPI wants them. */
export function responses<Schema extends z.ZodType>(schema: Schema, description: string, errors: ErrorCode[] = []) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...errors, 'ERR_6001', 'ERR_6003'] as ErrorCode[]) {
    byStatus.set(ERROR_STATUS[code], [...(byStatus.get(ERROR_STATUS[code]) ?? []), code]);
  }
  const refusals = Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      { description: codes.join(', '), content: { 'application/json': { schema: ErrorBody } } },
    ]),
  );
  return { ...refusals, 200: { description, content: { 'application/json': { schema } } } };
}

export function jsonContent<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** A request header for the description of a route; the route reads it itself. */
export function headerParameter(name: string, description: string, options: { format?: string; required?: true } = {}) {
  const { format, required = false } = options;
  return {
    name,
    in: 'header' as const,
    required,
    description,
    schema: { type: 'string' as const, ...(format && { format }) },
  };
}

/** The errors of every route that needs a user. */
export const USER_ERRORS: ErrorCode[] = ['ERR_4005', 'ERR_4013', 'ERR_4004'];
