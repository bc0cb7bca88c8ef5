import { z } from '@hono/zod-openapi';
import { type Api, jsonContent } from '../../http/api.ts';
import { Session } from './wire.ts';

const TAGS = ['Sessions'];

/** What the auth clients read: with `X-Supabase-Api-Version` the first two, without it the last three. */
const AuthError = z
  .object({
    code: z.union([z.string(), z.int()]),
    message: z.string().optional(),
    error_code: z.string().optional(),
    msg: z.string().optional(),
  })
  .openapi('AuthError');

const Keys = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).openapi('Keys');

/** Writes the routes of the auth API into the OpenAPI document; they speak another dialect than the rest. */
export function describeAuth(api: Api): void {
  const refusal = (description: string) => ({ description, content: { 'application/json': { schema: AuthError } } });
  api.openAPIRegistry.registerPath({
    method: 'post',
    path: '/auth/v1/token',
    tags: TAGS,
    summary: 'Trade a refresh token for a new pair of tokens',
    request: {
      query: z.object({ grant_type: z.literal('refresh_token') }),
      body: jsonContent(z.object({ refresh_token: z.string() })),
    },
    responses: {
      200: { description: 'The session with its new tokens', content: { 'application/json': { schema: Session } } },
      400: refusal('The token opens nothing any more; `refresh_token_not_found`, `refresh_token_already_used`, …'),
      429: refusal('`over_request_rate_limit`'),
      503: refusal('Not now: try again with the same token'),
    },
  });
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/auth/v1/.well-known/jwks.json',
    tags: TAGS,
    summary: 'The public keys that verify access tokens',
    responses: { 200: { description: 'A JWK set', content: { 'application/json': { schema: Keys } } } },
  });
}
