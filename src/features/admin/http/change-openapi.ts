/** Declarations of changes to accounts and jobs. */
import { EXAMPLE_IDS, jsonContent } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import { AdjustBody, Cancelled, JobBody, UserBody } from './change-schemas.ts';
import { ADMIN_TAGS, IDEMPOTENCY_PARAMETER } from './openapi.ts';
import { NewBalance, Success } from './schemas.ts';

export const ADJUST_CREDITS = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-adjust-credits',
  tags: ADMIN_TAGS,
  operationId: 'adminAdjustCredits',
  summary: 'Correct a balance',
  description:
    'Adds or takes credits with the reason `admin_adjustment`. `credits_total` stays. What would take the balance below zero is ' +
    'a 409, with the balance in `credits_remaining`.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(AdjustBody, {
      take: {
        summary: 'Take three credits that were given by mistake',
        value: { user_id: EXAMPLE_IDS.user, amount: -3, reason: 'Given twice by mistake.' },
      },
    }),
  },
  answer: {
    schema: NewBalance,
    description: 'The balance after the change',
    example: { success: true, new_balance: 11 },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4008', 'ERR_4009'],
    details: {
      ERR_4006: { field: 'amount', allowed: { minimum: -10_000, maximum: 10_000 } },
      ERR_4008: { field: 'amount', reason: 'below_zero', credits_remaining: 2 },
    },
  },
});

const userBody = (text: string) =>
  jsonContent(UserBody, { usual: { summary: 'An account', value: { user_id: EXAMPLE_IDS.user, reason: text } } });

export const BAN_USER = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-ban-user',
  tags: ADMIN_TAGS,
  operationId: 'adminBanUser',
  summary: 'Ban an account',
  description:
    'From then on every call of the account is a 403 with `ERR_4013`, also with tokens that it has already, and its event streams ' +
    'end. Running generations go on. The id of a merged guest bans the account that it is part of. A repeat changes nothing.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: { body: userBody('Sold credits that were bought with stolen cards.') },
  answer: {
    schema: Success,
    description: 'The account is banned',
    example: { success: true },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'reason', allowed: { minLength: 3 } } },
  },
});

export const UNBAN_USER = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-unban-user',
  tags: ADMIN_TAGS,
  operationId: 'adminUnbanUser',
  summary: 'Lift the ban of an account',
  description: 'The account’s sessions go on where they have not ended. A repeat changes nothing.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: { body: userBody('The cards were their own.') },
  answer: {
    schema: Success,
    description: 'The account is not banned',
    example: { success: true },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'reason', allowed: { minLength: 3 } } },
  },
});

export const CANCEL_JOB = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-cancel-job',
  tags: ADMIN_TAGS,
  operationId: 'adminCancelJob',
  summary: 'Cancel a running generation',
  description:
    'The job fails with `ERR_5004`, and its owner gets the credits back, without the limit of a user’s own cancellations. It is ' +
    'cancelled at the provider a moment later; the provider may bill it all the same. A job that has ended is a 409.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(JobBody, {
      usual: { summary: 'A job', value: { job_id: EXAMPLE_IDS.job, reason: 'The provider lost it.' } },
    }),
  },
  answer: {
    schema: Cancelled,
    description: 'What was given back',
    example: { success: true, refunded: 4 },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4008', 'ERR_4009'],
    details: {
      ERR_4006: { field: 'job_id', reason: 'missing' },
      ERR_4008: { reason: 'finished', status: 'completed' },
    },
  },
});
