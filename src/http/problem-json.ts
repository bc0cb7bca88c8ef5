/** Error bodies in the format of RFC 9457, for clients that ask for it. */
import { z } from '@hono/zod-openapi';
import { parseAccept } from 'hono/utils/accept';
import { ERROR_STATUS, type ErrorCode, type Problem } from '../kernel/errors.ts';
import { EXAMPLE_DETAILS } from '../kernel/messages/examples.ts';
import { GUIDANCE } from '../kernel/messages/guidance.ts';
import { messageFor } from '../kernel/messages/index.ts';
import type { Api } from './api.ts';
import type { HttpContext } from './env.ts';

export const PROBLEM_JSON = 'application/problem+json';
const JSON_TYPES = ['application/json', 'application/*', '*/*'];
/** Longer headers are cut: no browser sends more, and reading the rest only costs time. */
const HEADER_CHARACTERS_MAX = 1000;

const ProblemBody = z.object({
  type: z.string().openapi({ description: 'A page about the code. The same for every error with this code.' }),
  title: z.string().openapi({ description: 'The name of the code, in English.' }),
  status: z.int(),
  detail: z.string().openapi({ description: 'A message for the user, in the language of `Accept-Language`.' }),
  code: z.string().openapi({ description: 'As in the other format.' }),
  details: z.record(z.string(), z.unknown()).openapi({ description: 'As in the other format.' }),
  retryable: z.boolean().openapi({ description: 'Whether the same request may succeed later.' }),
  retry_after: z.int().nullable().openapi({ description: 'The seconds to wait before that, if known.' }),
  charged: z.literal(false).openapi({ description: 'A request that fails is never charged.' }),
  support_id: z.string().openapi({ description: 'The `X-Request-Id`, for a report to the operator.' }),
});

/**
 * Whether an `Accept` header prefers problem+json to JSON. Only its own name asks for it, because `*` is what clients send that
 * know nothing of it. Of two with the same quality the first counts.
 */
export function prefersProblemJson(accept: string | undefined): boolean {
  const given = parseAccept((accept ?? '').slice(0, HEADER_CHARACTERS_MAX));
  const entries = given.map(({ type, q }, position) => ({ type: type.toLowerCase(), q, position }));
  const problem = entries.find(({ type }) => type === PROBLEM_JSON);
  if (!problem || problem.q === 0) return false;
  const json = JSON_TYPES.map((name) => entries.find(({ type }) => type === name)).find((entry) => entry !== undefined);
  if (!json || problem.q > json.q) return true;
  // The parser has sorted by quality, and keeps the order of the header among equals.
  return problem.q === json.q && (json.type !== 'application/json' || problem.position < json.position);
}

/** `HEAD` has no body, and the paths of Supabase's clients have formats of their own. */
export function wantsProblemJson(c: HttpContext): boolean {
  const isForSupabase = /^\/(?:auth|storage)\/v1(?:\/|$)/.test(c.req.path);
  return c.req.method !== 'HEAD' && !isForSupabase && prefersProblemJson(c.req.header('Accept'));
}

type Described = Pick<Problem, 'code' | 'details' | 'retryAfterSeconds'> & { status: number };

/** `origin`: the server's URL, whose reference explains the codes. */
export function problemJson(
  { code, status, details, retryAfterSeconds }: Described,
  { message, origin, requestId }: { message: string; origin: string; requestId: string },
): z.infer<typeof ProblemBody> {
  return {
    type: `${origin}/docs#${code}`,
    title: titleOf(code),
    status,
    detail: message,
    code,
    details,
    retryable: retryAfterSeconds !== undefined || GUIDANCE[code].isRetryable === true,
    retry_after: retryAfterSeconds ?? null,
    charged: false,
    support_id: requestId,
  };
}

function titleOf(code: ErrorCode): string {
  const { name } = GUIDANCE[code];
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

const EXAMPLE_RETRY_SECONDS = 30;

/** Describes the format once, as a component of the document. */
export function registerProblemJson(api: Api, origin = 'https://api.example.com'): void {
  const code = 'ERR_4004';
  const details = EXAMPLE_DETAILS[code];
  const described = { code, details, status: ERROR_STATUS[code], retryAfterSeconds: EXAMPLE_RETRY_SECONDS } as const;
  const asked = { message: messageFor(code, 'en', details), origin, requestId: '5f0e9b2f-4e55-4b8e-9d0e-2a6c1f7d8f3c' };
  api.openAPIRegistry.register('Problem', ProblemBody.openapi({ example: problemJson(described, asked) }));
}
