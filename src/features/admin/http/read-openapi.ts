import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import { ADMIN_TAGS } from './openapi.ts';
import {
  Health,
  JobDetails,
  JobQuery,
  Overview,
  OverviewQuery,
  Timeline,
  TimelineQuery,
  UserQuery,
  UserStats,
} from './read-schemas.ts';

const AT = '2026-11-23T09:31:00.000Z';
const LATER = '2026-11-23T09:32:10.000Z';

export const GET_USER_STATS = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-user-stats',
  tags: ADMIN_TAGS,
  operationId: 'adminUserStats',
  summary: 'Get an account in figures',
  description: 'A merged guest’s id stands for the account that it was merged into. Deleted accounts are found too.',
  request: { query: UserQuery },
  answer: {
    schema: UserStats,
    description: 'The account',
    example: {
      user: {
        id: EXAMPLE_IDS.user,
        email: 'grace@example.com',
        is_guest: false,
        is_banned: false,
        ban_reason: null,
        tier: 'free',
        credits_remaining: 6,
        credits_total: 10,
        initial_grant_claimed: true,
        language: 'en',
        created_at: AT,
        deleted_at: null,
        merged_guest_ids: [],
      },
      stats: {
        total_jobs: 1,
        completed_jobs: 1,
        failed_jobs: 0,
        success_rate: 1,
        credits_spent: 4,
        credits_refunded: 0,
        purchases: 0,
      },
      recent_transactions: [
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
    },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'user_id' } },
  },
});

export const GET_TIMELINE = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-user-timeline',
  tags: ADMIN_TAGS,
  operationId: 'adminUserTimeline',
  summary: 'List everything that has happened to an account',
  description:
    'Merges the ledger, jobs, attempts, events of providers, purchases, notifications of stores, sessions, changes by administrators and ' +
    'errors, also those of merged guests. Newest first; every page costs the same. An entry shows the present state of what it is about.',
  request: { query: TimelineQuery },
  answer: {
    schema: Timeline,
    description: 'A page',
    example: {
      events: [
        {
          at: AT,
          kind: 'credits',
          summary: 'The balance changed by -4 to 6 (video_generation).',
          data: { change: -4, reason: 'video_generation', balance_after: 6, job_id: EXAMPLE_IDS.job },
        },
      ],
      next_cursor: null,
    },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'cursor' } },
  },
});

export const GET_JOB = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-job',
  tags: ADMIN_TAGS,
  operationId: 'adminJob',
  summary: 'Get a job with its attempts, events and files',
  description: 'Everything about a job but its prompt.',
  request: { query: JobQuery },
  answer: {
    schema: JobDetails,
    description: 'The job',
    example: {
      job: {
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
        settings: { duration: 4 },
        deadline_at: '2026-11-23T10:01:00.000Z',
        video_seconds: 4,
      },
      attempts: [
        {
          id: EXAMPLE_IDS.transaction,
          attempt: 1,
          provider: 'fal',
          provider_model_id: 'fal-ai/veo3.1',
          state: 'accepted',
          result: 'completed',
          error: null,
          provider_job_id: '764cabcf-b745-4b3e-ae38-1200304cf45b',
          vendor_request_id: null,
          vendor_cost_usd: 0.8,
          created_at: AT,
          closed_at: AT,
          ended_at: LATER,
        },
      ],
      events: [{ at: LATER, source: 'provider', type: 'woke', sender: 'fal' }],
      files: [
        {
          kind: 'video',
          path: `videos/${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}.mp4`,
          bytes: 2_400_000,
          sha256: null,
        },
      ],
    },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'job_id' } },
  },
});

export const GET_HEALTH = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-health',
  tags: ADMIN_TAGS,
  operationId: 'adminHealth',
  summary: 'Get the state of the system',
  description: 'The queue, the providers, and the rules of the money as the last check found them.',
  answer: {
    schema: Health,
    description: 'The state',
    example: {
      database: true,
      queue: { depth: 2, oldest_seconds: 0.4 },
      providers: [{ name: 'fal', circuit: 'closed', opened_at: null, next_try_at: null, is_simulated: false }],
      invariants: [{ rule: 'a balance equals the sum of its ledger rows', holds: true, violations: 0, checked_at: AT }],
    },
  },
});

export const GET_OVERVIEW = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-overview',
  tags: ADMIN_TAGS,
  operationId: 'adminOverview',
  summary: 'Get the figures of some days',
  description:
    'Days are in UTC; instants stand for their days. At most 400 days lie between `from` and `to`; the last thirty by default. Figures are ' +
    'up to date when they are read, also today’s: what is older than about a minute is counted, and the rest is read live, at most ' +
    '10,000 rows of a kind. After an outage of the worker it counts for some minutes, and the newest figures are incomplete meanwhile. A ' +
    'day’s figures no longer change a minute after it has ended, whatever is deleted later.',
  request: { query: OverviewQuery },
  answer: {
    schema: Overview,
    description: 'The figures',
    example: {
      days: [
        {
          date: '2026-11-23',
          generations: { completed: 19, failed: 1 },
          success_rate: 0.95,
          seconds_to_video: { p50: 41.2, p95: 96 },
          credits_in: { initial_grant: 50, iap_purchase: 100, generation_failed_refund: 4 },
          credits_out: { video_generation: 80 },
          revenue_usd: 49.9,
          revenue_other: {},
          provider_cost_usd: 15.2,
          errors: { ERR_5002: 1 },
        },
      ],
      models: [
        {
          model_id: EXAMPLE_IDS.model,
          name: 'Cinematic',
          generations: 20,
          credits: 76,
          provider_cost_usd: 15.2,
          margin_usd: 22.72,
        },
      ],
      credits_outstanding: 5120,
    },
    details: { ERR_4006: { field: 'from', allowed: { days: 400 } } },
  },
});
