/** How a simulated task ends. */
import { z } from 'zod';
import { FILE_OUTCOMES } from '../outcomes.ts';

/**
 * - `video…`: it succeeds; what follows `video` says what the media host does with the file;
 * - `no_output`: a success without a video;
 * - `throttled`: a video, after it waited for other tasks of the account;
 * - `hang`: it never ends; `cancelled`: it ends as if the customer had cancelled it;
 * - the rest fails as Runway's tasks fail.
 */
export const outcomeShape = z.enum([
  ...FILE_OUTCOMES,
  'no_output',
  'throttled',
  'hang',
  'cancelled',
  'moderated',
  'moderated_output',
  'moderated_early',
  'asset_invalid',
  'third_party_input',
  'third_party',
  'internal',
  'internal_early',
  'bad_output',
  'unnamed',
]);

export type Outcome = z.infer<typeof outcomeShape>;

/** `isCharged`: Runway charges for tasks that it declined because of their content. */
export type Failure = { failure: string; failureCode?: string; isCharged?: true };

const FAILURES: Partial<Record<Outcome, Failure>> = {
  moderated: {
    failure: 'Your input could not be processed because of its content.',
    failureCode: 'SAFETY.INPUT.TEXT',
    isCharged: true,
  },
  moderated_output: {
    failure: 'The output was withheld because of its content.',
    failureCode: 'SAFETY.OUTPUT.VIDEO',
    isCharged: true,
  },
  moderated_early: {
    failure: 'Your text could not be processed because of its content.',
    failureCode: 'INPUT_PREPROCESSING.SAFETY.TEXT',
    isCharged: true,
  },
  asset_invalid: { failure: 'An input asset could not be read.', failureCode: 'ASSET.INVALID' },
  third_party_input: { failure: 'An input was not accepted.', failureCode: 'THIRD_PARTY.INPUT_VALIDATION' },
  third_party: { failure: 'A service behind the model is unavailable.', failureCode: 'THIRD_PARTY.UNAVAILABLE' },
  internal: { failure: 'An unexpected error occurred.', failureCode: 'INTERNAL' },
  internal_early: { failure: 'An unexpected error occurred.', failureCode: 'INPUT_PREPROCESSING.INTERNAL' },
  bad_output: { failure: 'The output was of poor quality.', failureCode: 'INTERNAL.BAD_OUTPUT.CODE01' },
  unnamed: { failure: 'An unexpected error occurred.' },
};

/** Undefined where the task does not fail. */
export function failureOf(outcome: Outcome): Failure | undefined {
  return FAILURES[outcome];
}
