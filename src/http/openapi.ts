/** Builds the OpenAPI responses, request bodies and parameters of routes, each with examples. */
import { z } from '@hono/zod-openapi';
import { ERROR_STATUS, type ErrorCode, type ProblemDetails } from '../kernel/errors.ts';
import { EXAMPLE_DETAILS } from '../kernel/messages/examples.ts';
import { GUIDANCE } from '../kernel/messages/guidance.ts';
import { messageFor } from '../kernel/messages/index.ts';
import { type HeaderName, headersOf } from './openapi-headers.ts';

/** Ids that examples share, so that one example continues another. */
export const EXAMPLE_IDS = {
  user: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  model: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  job: '9b2f8f3c-5f0e-4b8e-9d0e-2a6c1f7d4e55',
  key: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
  transaction: 'c56a4180-65aa-42ec-a945-5fd21dec0538',
} as const;

const ErrorBody = z
  .object({
    error: z.object({
      code: z
        .string()
        .regex(/^ERR_\d{4}$/)
        .openapi({
          description: 'A stable code to branch on. New codes may be added in the same families.',
          example: 'ERR_4001',
        }),
      message: z.string().openapi({ description: 'A message for the user, in the language of `Accept-Language`.' }),
      details: z.record(z.string(), z.unknown()).openapi({
        description: 'More about this error, such as `field` and `allowed`. Empty if there is nothing to add.',
      }),
    }),
  })
  .openapi('Error');

/** The errors of every route that needs a user. */
export const USER_ERRORS: ErrorCode[] = ['ERR_4005', 'ERR_4013', 'ERR_4004', 'ERR_4006'];
/** The errors of every route for administrators; the 403 of ERR_4005 is for a user's token. */
export const ADMIN_ERRORS: ErrorCode[] = ['ERR_4005', 'ERR_4004', 'ERR_4006'];
/** The errors of every route that takes a JSON body. */
export const BODY_ERRORS: ErrorCode[] = ['ERR_4006', 'ERR_4014', 'ERR_4015'];
/** The errors of every route. */
const COMMON_ERRORS: ErrorCode[] = ['ERR_6001', 'ERR_6003'];

export type Answer<Schema extends z.ZodType> = {
  description: string;
  example: z.input<Schema>;
  /** Further examples by name, for a response that takes several forms. */
  otherExamples?: Examples<z.input<Schema>>;
  errors?: ErrorCode[];
  /** The headers of the 200 besides the request id. */
  headers?: HeaderName[];
  /** This route's own error details, if the usual example would mislead. */
  details?: Partial<Record<ErrorCode, ProblemDetails>>;
};

/** Returns a route's 200 with its example, and its errors by status: each code with its name, advice and message. */
export function responses<Schema extends z.ZodType>(schema: Schema, answer: Answer<Schema>) {
  const { description, example, otherExamples, errors = [], headers = [], details = {} } = answer;
  const examples = otherExamples
    ? { examples: { usual: { summary: description, value: example }, ...otherExamples } }
    : { example };
  return {
    ...errorResponses(errors, details),
    200: { description, headers: headersOf(headers), content: { 'application/json': { schema, ...examples } } },
  };
}

/** Returns the errors of a route by status, for routes whose 200 is not JSON. */
export function errorResponses(errors: ErrorCode[], details: Answer<z.ZodType>['details'] = {}) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...errors, ...COMMON_ERRORS])) {
    // A code may have two statuses: ERR_4005 is also the 403 for another user's id.
    for (const status of statusesOf(code)) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\` ${GUIDANCE[code].name}. ${GUIDANCE[code].advice}`).join('\n\n'),
        headers: headersOf(errorHeaders(status)),
        content: {
          'application/json': {
            schema: ErrorBody,
            examples: Object.fromEntries(codes.map((code) => [code, errorExample(code, status, details[code])])),
          },
        },
      },
    ]),
  );
}

function statusesOf(code: ErrorCode): number[] {
  const { alsoStatus } = GUIDANCE[code];
  return alsoStatus ? [ERROR_STATUS[code], alsoStatus] : [ERROR_STATUS[code]];
}

function errorExample(code: ErrorCode, status: number, details = EXAMPLE_DETAILS[code]) {
  const isForbidden = code === 'ERR_4005' && status === 403;
  const message = messageFor(code, 'en', isForbidden ? { reason: 'forbidden', ...details } : details);
  return { summary: `${code} ${GUIDANCE[code].name}`, value: { error: { code, message, details } } };
}

function errorHeaders(status: number): HeaderName[] {
  if (status === 401) return ['ContentLanguage', 'WwwAuthenticate'];
  if (status === 429) return ['ContentLanguage', 'RetryAfter', 'RateLimit', 'RateLimitPolicy'];
  return status === 409 || status === 503 ? ['ContentLanguage', 'RetryAfter'] : ['ContentLanguage'];
}

type Examples<Value> = Record<string, { summary: string; value: Value }>;

/** A required JSON body with its examples, the shortest first. */
export function jsonContent<Schema extends z.ZodType>(schema: Schema, examples: Examples<z.input<Schema>>) {
  return { required: true, content: { 'application/json': { schema, examples } } };
}

type ParameterOptions = { format?: string; required?: true };

/** Describes a request header that the route's handler reads itself. */
export function headerParameter(name: string, description: string, options: ParameterOptions = {}) {
  const { format, required = false } = options;
  return {
    name,
    in: 'header' as const,
    required,
    description,
    schema: { type: 'string' as const, ...(format && { format }) },
  };
}

/** `Accept-Language`, for routes whose 200 contains messages. */
export const LANGUAGE_PARAMETER = headerParameter(
  'Accept-Language',
  'The language of the messages: `en`, `tr` or `es`, with q-values. Defaults to the account’s language.',
);

/** The optional `user_id` of user routes, for those without other query parameters. */
export const USER_ID_PARAMETER = {
  name: 'user_id',
  in: 'query' as const,
  required: false,
  description: 'Only compared with the access token. Another user’s id returns a 403.',
  schema: { type: 'string' as const, format: 'uuid' },
};
