import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import * as schemas from './list-schemas.ts';
import { ADMIN_TAGS } from './openapi.ts';

export const AT = '2026-11-23T09:31:00.000Z';
const LATER = '2026-11-23T09:32:10.000Z';
const TRANSACTION = '2000000123456789';

type ListSpec<Query extends z.ZodObject, Schema extends z.ZodType> = {
  /** The name after `admin-`. */
  name: string;
  what: string;
  description: string;
  query: Query;
  schema: Schema;
  example: z.input<Schema>;
};

/** Every list answers in the same form. */
export function list<Query extends z.ZodObject, Schema extends z.ZodType>(spec: ListSpec<Query, Schema>) {
  const { name, what, description, query, schema, example } = spec;
  return adminRoute({
    method: 'get',
    path: `/functions/v1/admin-${name}`,
    tags: ADMIN_TAGS,
    operationId: `admin${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    summary: `List ${what}`,
    description: `${description} Newest first. Follow \`next_cursor\` with the same filters: every page costs the same.`,
    request: { query },
    answer: {
      schema,
      description: 'A page',
      example,
      details: { ERR_4006: { field: 'cursor' } },
    },
  });
}

export const LIST_JOBS = list({
  name: 'jobs',
  what: 'jobs',
  description: 'All jobs, deleted ones too.',
  query: schemas.JobsQuery,
  schema: schemas.Jobs,
  example: {
    jobs: [
      {
        job_id: EXAMPLE_IDS.job,
        user_id: EXAMPLE_IDS.user,
        model_id: EXAMPLE_IDS.model,
        model_name: 'Cinematic',
        provider: 'fal',
        provider_job_id: '764cabcf-b745-4b3e-ae38-1200304cf45b',
        status: 'completed',
        credits_used: 4,
        error_code: null,
        error_reason: null,
        created_at: AT,
        submitted_at: AT,
        completed_at: LATER,
        deleted_at: null,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_TRANSACTIONS = list({
  name: 'transactions',
  what: 'changes of balances',
  description: 'The ledger of all accounts.',
  query: schemas.TransactionsQuery,
  schema: schemas.Transactions,
  example: {
    transactions: [
      {
        id: EXAMPLE_IDS.transaction,
        user_id: EXAMPLE_IDS.user,
        change: -4,
        reason: 'video_generation',
        balance_after: 6,
        job_id: EXAMPLE_IDS.job,
        transaction_id: null,
        purchase_id: null,
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_PURCHASES = list({
  name: 'purchases',
  what: 'purchases',
  description: 'Every transaction of a store that this server has seen.',
  query: schemas.PurchasesQuery,
  schema: schemas.Purchases,
  example: {
    purchases: [
      {
        id: EXAMPLE_IDS.transaction,
        store: 'apple',
        environment: 'Production',
        transaction_id: TRANSACTION,
        user_id: EXAMPLE_IDS.user,
        product_id: 'com.rendio.credits.10',
        quantity: 1,
        credits: 10,
        taken_back: 0,
        is_refunded: false,
        price: 4.99,
        currency: 'USD',
        purchased_at: AT,
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_NOTIFICATIONS = list({
  name: 'notifications',
  what: 'notifications of stores',
  description: 'What the stores have told this server about purchases, and what has followed.',
  query: schemas.NotificationsQuery,
  schema: schemas.Notifications,
  example: {
    notifications: [
      {
        notification_id: 'b0a9a6f4-0a39-4f2c-8f6d-0b1a2c3d4e5f',
        store: 'apple',
        type: 'REFUND',
        subtype: null,
        environment: 'Production',
        transaction_id: TRANSACTION,
        user_id: EXAMPLE_IDS.user,
        outcome: 'taken_back',
        signed_at: AT,
        received_at: AT,
        processed_at: LATER,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_ERRORS = list({
  name: 'errors',
  what: 'errors',
  description: 'Failed generations and answers of 500 and more, as long as they are kept.',
  query: schemas.ErrorsQuery,
  schema: schemas.Errors,
  example: {
    errors: [
      {
        id: 1,
        user_id: EXAMPLE_IDS.user,
        error_code: 'ERR_5002',
        endpoint: 'generation',
        request_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
        job_id: EXAMPLE_IDS.job,
        details: { cause: 'the provider answered 503 four times' },
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_ACTIONS = list({
  name: 'actions',
  what: 'what administrators have changed',
  description: 'One row for each change, with its reason.',
  query: schemas.ActionsQuery,
  schema: schemas.Actions,
  example: {
    actions: [
      {
        id: 1,
        admin_user_id: EXAMPLE_IDS.user,
        admin_email: 'ada@example.com',
        action_type: 'credit_refund',
        target_user_id: EXAMPLE_IDS.user,
        target_model_id: null,
        target_job_id: null,
        target: null,
        amount: 4,
        reason: 'The video was unusable.',
        details: {},
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const FIND_USERS = list({
  name: 'users',
  what: 'accounts, or find one',
  description:
    'With `query`: the accounts that it is an id of, deleted ones too; a merged guest’s is the account that it was merged into. Without: ' +
    'the accounts that are not deleted.',
  query: schemas.UsersQuery,
  schema: schemas.Users,
  example: {
    users: [
      {
        id: EXAMPLE_IDS.user,
        email: 'grace@example.com',
        is_guest: false,
        is_banned: false,
        credits_remaining: 6,
        credits_total: 10,
        created_at: AT,
        deleted_at: null,
      },
    ],
    next_cursor: null,
  },
});
