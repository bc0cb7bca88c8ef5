import { z } from '@hono/zod-openapi';
import { credits, time, uuid } from '../../../http/api.ts';
import { from, listCursor, nextCursor, to } from '../../../http/listing.ts';
import { pageSize } from '../../../http/paging.ts';
import { TIMELINE_KINDS } from '../timeline-sources.ts';
import { ListedJob, ListedTransaction } from './list-schemas.ts';

const someTime = time.nullable();
const someText = z.string().nullable();
const amounts = (description: string) => z.record(z.string(), z.number()).openapi({ description });

export const UserQuery = z.object({
  user_id: uuid.openapi({ description: 'The account, or a guest that was merged into it.' }),
});
export const JobQuery = z.object({ job_id: uuid.openapi({ description: 'The job.' }) });
export const TimelineQuery = UserQuery.extend({ limit: pageSize(25), cursor: listCursor });
export const OverviewQuery = z.object({ from, to });

export const UserStats = z
  .object({
    user: z.object({
      id: z.uuid(),
      email: someText,
      is_guest: z.boolean(),
      is_banned: z.boolean(),
      ban_reason: someText,
      tier: z.string(),
      credits_remaining: credits('The balance'),
      credits_total: credits('What was earned in the account’s lifetime'),
      initial_grant_claimed: z.boolean(),
      language: z.string(),
      created_at: time,
      deleted_at: someTime,
      merged_guest_ids: z.array(z.uuid()).openapi({ description: 'The guests that were merged into the account.' }),
    }),
    stats: z.object({
      total_jobs: z.int().openapi({ description: 'All jobs, deleted ones too.' }),
      completed_jobs: z.int(),
      failed_jobs: z.int().openapi({ description: 'Also the cancelled ones.' }),
      success_rate: z.number().openapi({ description: 'completed / (completed + failed); 0 while none has finished.' }),
      credits_spent: credits('What all generations were charged, refunded or not'),
      credits_refunded: credits('What came back, for failed generations and by administrators'),
      purchases: z.int().openapi({ description: 'How many.' }),
    }),
    recent_transactions: z.array(ListedTransaction).openapi({ description: 'The newest twenty.' }),
  })
  .openapi('AdminUserStats');

export const Timeline = z
  .object({
    events: z.array(
      z.object({
        at: time,
        kind: z.enum(TIMELINE_KINDS),
        summary: z.string().openapi({ description: 'One sentence in English.' }),
        data: z.record(z.string(), z.unknown()).openapi({ description: 'Ids and figures; which depends on the kind.' }),
      }),
    ),
    next_cursor: nextCursor,
  })
  .openapi('AdminTimeline');

export const JobDetails = z
  .object({
    job: ListedJob.extend({
      settings: z.unknown(),
      deadline_at: time,
      video_seconds: z.number().nullable(),
    }),
    attempts: z.array(
      z.object({
        id: z.uuid(),
        attempt: z.int(),
        provider: z.string(),
        provider_model_id: z.string(),
        state: z.string().openapi({ description: 'How the submit went.' }),
        result: someText.openapi({ description: 'How the provider’s job ended.' }),
        error: someText.openapi({ description: 'What the provider said. Words of the prompt are left out.' }),
        provider_job_id: someText,
        vendor_request_id: someText,
        vendor_cost_usd: z.number().nullable(),
        created_at: time,
        closed_at: someTime,
        ended_at: someTime,
      }),
    ),
    events: z.array(
      z.object({
        at: time,
        source: z.enum(['provider', 'account']).openapi({
          description: '`provider`: it has told us; `account`: we have told the account’s apps, kept for a day.',
        }),
        type: z.string().openapi({ description: 'Of a provider’s event its effect.' }),
        sender: someText,
      }),
    ),
    files: z.array(
      z.object({
        kind: z.enum(['video', 'thumbnail', 'image']),
        path: z.string().openapi({ description: 'The bucket and the path in it.' }),
        bytes: z.int().nullable(),
        sha256: someText,
      }),
    ),
  })
  .openapi('AdminJobDetails');

export const Health = z
  .object({
    database: z.boolean(),
    queue: z.object({
      depth: z.int().openapi({ description: 'Tasks that are due and wait for a worker.' }),
      oldest_seconds: z.number().openapi({ description: 'How long the oldest of them has been due.' }),
    }),
    providers: z.array(
      z.object({
        name: z.string(),
        circuit: z
          .enum(['open', 'closed'])
          .openapi({ description: '`open`: it fails, and hardly anything is sold on it.' }),
        opened_at: someTime,
        next_try_at: someTime,
        is_simulated: z.boolean(),
      }),
    ),
    invariants: z.array(
      z.object({
        rule: z.string(),
        holds: z.boolean(),
        violations: z.int(),
        checked_at: someTime.openapi({ description: 'Null: not checked yet.' }),
      }),
    ),
  })
  .openapi('AdminHealth');

export const Overview = z
  .object({
    days: z
      .array(
        z.object({
          date: z.iso.date(),
          generations: z.object({ completed: z.int(), failed: z.int() }),
          success_rate: z.number(),
          seconds_to_video: z.object({ p50: z.number().nullable(), p95: z.number().nullable() }),
          credits_in: amounts('Credits that accounts got, by reason.'),
          credits_out: amounts('Credits that accounts gave, by reason.'),
          revenue_usd: z
            .number()
            .openapi({ description: 'Purchases in US dollars less their refunds; no test purchases.' }),
          revenue_other: amounts('The same in other currencies, by currency; they are not converted.'),
          provider_cost_usd: z.number().openapi({ description: 'What providers say that their jobs cost.' }),
          errors: amounts('How many, by code.'),
        }),
      )
      .openapi({ description: 'Every day, the oldest first.' }),
    models: z
      .array(
        z.object({
          model_id: z.uuid(),
          name: z.string(),
          generations: z.int(),
          credits: credits('The price of the completed ones'),
          provider_cost_usd: z.number(),
          margin_usd: z.number().openapi({
            description:
              'The value of `credits` less the cost. A credit is worth what credits were sold for on these days in US dollars, on average; ' +
              'nothing if none were.',
          }),
        }),
      )
      .openapi({ description: 'The models of these days, those with most generations first.' }),
    credits_outstanding: credits('What all accounts have now; debts count as nothing'),
  })
  .openapi('AdminOverview');
