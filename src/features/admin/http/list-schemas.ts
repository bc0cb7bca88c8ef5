import { z } from '@hono/zod-openapi';
import { credits, time, uuid } from '../../../http/api.ts';
import { listOf, listQuery } from '../../../http/listing.ts';

export const TEXT_MAX = 200;

/** Only rows that have this value in the column. */
export const only = <Schema extends z.ZodType>(column: string, schema: Schema) =>
  schema.openapi({ description: `Only those with this \`${column}\`.` });
export const text = (column: string) => only(column, z.string().max(TEXT_MAX).optional());
const id = (column: string) => only(column, uuid.optional());
export const yesOrNo = (column: string) =>
  only(
    column,
    z
      .enum(['true', 'false'])
      .transform((given) => given === 'true')
      .optional(),
  );
const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed'] as const;
const STORES = ['apple', 'stripe'] as const;
export const someTime = time.nullable();
const someId = z.uuid().nullable();
export const someText = z.string().nullable();

export const JobsQuery = listQuery({
  user_id: id('user_id'),
  status: only('status', z.enum(JOB_STATUSES).optional()),
  model_id: id('model_id'),
  provider: text('provider'),
  error_code: text('error_code'),
});

export const ListedJob = z
  .object({
    job_id: z.uuid(),
    user_id: z.uuid(),
    model_id: z.uuid(),
    model_name: z.string().openapi({ description: 'As it was when the job was ordered.' }),
    provider: z.string(),
    provider_job_id: someText.openapi({ description: 'The provider’s id; quote it to the provider’s support.' }),
    status: z.enum(JOB_STATUSES),
    credits_used: credits('The price'),
    error_code: someText,
    error_reason: someText,
    created_at: time,
    submitted_at: someTime,
    completed_at: someTime.openapi({ description: 'When the job was completed or failed.' }),
    deleted_at: someTime,
  })
  .openapi('AdminJob');
export const Jobs = listOf('jobs', ListedJob);

export const TransactionsQuery = listQuery({
  user_id: id('user_id'),
  reason: text('reason'),
  job_id: id('job_id'),
  transaction_id: text('transaction_id'),
  purchase_id: id('purchase_id'),
});

export const ListedTransaction = z
  .object({
    id: z.uuid(),
    user_id: z.uuid().openapi({ description: 'A merged guest’s rows stay under its own id.' }),
    change: credits('The change: positive if gained, negative if spent'),
    reason: z.string(),
    balance_after: credits('The balance after the change'),
    job_id: someId,
    transaction_id: someText,
    purchase_id: someId,
    created_at: time,
  })
  .openapi('AdminTransaction');
export const Transactions = listOf('transactions', ListedTransaction);

export const PurchasesQuery = listQuery({
  user_id: id('user_id'),
  transaction_id: text('transaction_id'),
  product_id: text('product_id'),
  is_refunded: yesOrNo('is_refunded'),
  store: only('store', z.enum(STORES).optional()),
  environment: text('environment'),
});

const ListedPurchase = z
  .object({
    id: z.uuid(),
    store: z.string(),
    environment: z.string(),
    transaction_id: z.string().openapi({ description: 'The store’s id.' }),
    user_id: someId.openapi({ description: 'Null until an account is credited.' }),
    product_id: someText,
    quantity: z.int().nullable(),
    credits: credits('What was credited'),
    taken_back: credits('What refunds have taken back'),
    is_refunded: z.boolean(),
    price: z.number().nullable().openapi({ description: 'In units of `currency`; null if the store did not say.' }),
    currency: someText,
    purchased_at: someTime,
    created_at: time,
  })
  .openapi('AdminPurchase');
export const Purchases = listOf('purchases', ListedPurchase);

export const NotificationsQuery = listQuery({
  notification_id: text('notification_id'),
  transaction_id: text('transaction_id'),
  user_id: id('user_id'),
  type: text('type'),
  subtype: text('subtype'),
  store: only('store', z.enum(STORES).optional()),
  environment: text('environment'),
  outcome: text('outcome'),
});

const ListedNotification = z
  .object({
    notification_id: z.string(),
    store: z.string(),
    type: z.string(),
    subtype: someText,
    environment: someText,
    transaction_id: someText,
    user_id: someId.openapi({ description: 'The account that had the purchase when the notification was processed.' }),
    outcome: someText.openapi({ description: 'What has followed; null until it is processed.' }),
    signed_at: time,
    received_at: time,
    processed_at: someTime,
  })
  .openapi('AdminNotification');
export const Notifications = listOf('notifications', ListedNotification);

export const ErrorsQuery = listQuery({
  user_id: id('user_id'),
  error_code: text('error_code'),
  endpoint: text('endpoint'),
  request_id: text('request_id'),
});

const ListedError = z
  .object({
    id: z.int(),
    user_id: someId,
    error_code: z.string(),
    endpoint: someText,
    request_id: someText.openapi({ description: 'The `X-Request-Id` of the response.' }),
    job_id: someId,
    details: z.unknown().openapi({ description: 'The cause, for operators. Words of a prompt are left out.' }),
    created_at: time,
  })
  .openapi('AdminError');
export const Errors = listOf('errors', ListedError);

export const ActionsQuery = listQuery({
  admin_user_id: id('admin_user_id'),
  action_type: text('action_type'),
  target_user_id: id('target_user_id'),
  target_model_id: id('target_model_id'),
  target_job_id: id('target_job_id'),
  target: text('target'),
});

const ListedAction = z
  .object({
    id: z.int(),
    admin_user_id: someId.openapi({ description: 'Null for what was done on the command line.' }),
    admin_email: someText,
    action_type: z.string(),
    target_user_id: someId,
    target_model_id: someId,
    target_job_id: someId,
    target: someText.openapi({ description: 'What is no account, model or job, such as a product’s id.' }),
    amount: z.int().nullable(),
    reason: z.string(),
    details: z.unknown(),
    created_at: time,
  })
  .openapi('AdminAction');
export const Actions = listOf('actions', ListedAction);

export const UsersQuery = listQuery({
  query: z
    .string()
    .trim()
    .min(1)
    .max(320)
    .optional()
    .openapi({
      description:
        'Whole: an id of a user, a merged guest, a job, a session, a ledger row, a purchase, an upload or a request, a store’s ' +
        'transaction or notification, a provider’s job, an e-mail address in any case, or an Apple sub.',
    }),
});

const ListedUser = z
  .object({
    id: z.uuid(),
    email: someText,
    is_guest: z.boolean(),
    is_banned: z.boolean(),
    credits_remaining: credits('The balance'),
    credits_total: credits('What was earned in the account’s lifetime'),
    created_at: time,
    deleted_at: someTime,
  })
  .openapi('AdminUser');
export const Users = listOf('users', ListedUser);
