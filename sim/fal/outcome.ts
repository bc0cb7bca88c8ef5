/** How a simulated job ends. */
import type { ValidationErrorInfo } from '@fal-ai/client';
import { z } from 'zod';
import { FILE_OUTCOMES } from '../outcomes.ts';

/**
 * - `video…`: it succeeds; what follows `video` says what the media host does with the file;
 * - `no_file`, `no_files`: a success without a video;
 * - `hang`: it never ends;
 * - the rest fails as fal fails.
 */
export const outcomeShape = z.enum([
  ...FILE_OUTCOMES,
  'no_file',
  'no_files',
  'hang',
  'moderated',
  'invalid',
  'no_media',
  'timeout',
  'generation_timeout',
  'unavailable',
  'downstream',
  'crash',
  'unexplained',
]);

export type Outcome = z.infer<typeof outcomeShape>;

/** The reply of the model, or of fal's infrastructure. `error`: the error in the job's status; absent where it has none. */
export type Failure = {
  status: 400 | 422 | 499 | 500 | 503 | 504;
  body: object;
  errorType?: string;
  isRetryable?: boolean;
  error?: string;
};

function typed(status: Failure['status'], type: string, msg: string, loc: (string | number)[] = ['body']): Failure {
  const known: ValidationErrorInfo = { loc, msg, type };
  const detail = [{ ...known, url: `https://docs.fal.ai/errors#${type}`, ctx: {}, input: {} }];
  return { status, body: { detail }, isRetryable: status >= 500 };
}

function infrastructure(status: Failure['status'], errorType: string, detail: string): Failure {
  return { status, body: { detail, error_type: errorType }, errorType, error: detail };
}

const FAILURES = {
  moderated: () =>
    typed(422, 'content_policy_violation', 'The content could not be processed because a content checker flagged it.', [
      'body',
      'prompt',
    ]),
  invalid: () => typed(422, 'literal_error', "Input should be '4s', '6s' or '8s'", ['body', 'duration']),
  no_media: () => typed(422, 'no_media_generated', 'The model did not generate any media.'),
  timeout: () => infrastructure(504, 'request_timeout', 'Request timed out'),
  generation_timeout: () => typed(504, 'generation_timeout', 'The generation took too long.'),
  unavailable: () => typed(500, 'downstream_service_unavailable', 'A service behind the model is unavailable.'),
  downstream: () => typed(400, 'downstream_service_error', 'A service behind the model answered with an error.'),
  crash: () => infrastructure(503, 'runner_disconnected', 'The runner disconnected.'),
  unexplained: (): Failure => ({ status: 500, body: { detail: 'Internal Server Error' } }),
} satisfies Partial<Record<Outcome, () => Failure>>;

/** Undefined where the job does not fail. */
export function failureOf(outcome: Outcome): Failure | undefined {
  return Object.entries(FAILURES).find(([name]) => name === outcome)?.[1]();
}

/** The failure of a job that was cancelled in the queue. */
export const CANCELLED = infrastructure(499, 'client_cancelled', 'Request was cancelled by the client');

/** The model's reply to an invalid input. */
export function invalidInput(problems: readonly ValidationErrorInfo[], input: unknown): Failure {
  return { status: 422, body: { detail: problems.map((problem) => ({ ...problem, input })) }, isRetryable: false };
}
