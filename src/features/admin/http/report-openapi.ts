import { z } from '@hono/zod-openapi';
import { time, uuid } from '../../../http/api.ts';
import { listCursor } from '../../../http/listing.ts';
import { EXAMPLE_IDS, jsonContent } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import { ADMIN_TAGS, IDEMPOTENCY_PARAMETER } from './openapi.ts';
import { reason, Success } from './schemas.ts';

const LIMIT = { min: 1, max: 100, default: 25 };

const limit = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
  .pipe(z.number().min(LIMIT.min).max(LIMIT.max))
  .default(LIMIT.default)
  .openapi({
    type: 'integer',
    minimum: LIMIT.min,
    maximum: LIMIT.max,
    default: LIMIT.default,
    description: 'The maximum number of reports.',
  });

const ReportsQuery = z.object({
  limit,
  cursor: listCursor,
  job_id: uuid.optional().openapi({ description: 'Reports about this job alone.' }),
  user_id: uuid.optional().openapi({ description: 'Reports about this user’s videos alone.' }),
  reporter_user_id: uuid.optional().openapi({ description: 'Reports by this user alone.' }),
  is_handled: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .openapi({ type: 'boolean', description: 'Only those that are handled, or only those that are not.' }),
});

const Reports = z
  .object({
    reports: z.array(
      z.object({
        id: z.uuid(),
        job_id: z.uuid(),
        user_id: z.uuid().openapi({ description: 'Whose video it is.' }),
        reporter_user_id: z.uuid(),
        source: z.string().openapi({ description: '`owner`: the reporter’s own video; `share`: a shared one.' }),
        reason: z
          .string()
          .openapi({ description: 'What the reporter wrote; `[deleted]` with the reporter’s account.' }),
        created_at: time,
        handled_at: time.nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .openapi('Reports');

const REPORT_ID = 'a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d';

export const LIST_REPORTS = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-reports',
  tags: ADMIN_TAGS,
  operationId: 'adminReports',
  summary: 'List what users have reported',
  description: 'Reports of `report-video`, newest first. Every page costs the same.',
  request: { query: ReportsQuery },
  answer: {
    schema: Reports,
    description: 'A page of reports',
    example: {
      reports: [
        {
          id: REPORT_ID,
          job_id: EXAMPLE_IDS.job,
          user_id: EXAMPLE_IDS.user,
          reporter_user_id: '0c6f6b0e-7a51-4d2e-9a55-6f4dcb3a1f10',
          source: 'share',
          reason: 'It shows a person who has not agreed to it.',
          created_at: '2026-11-23T09:30:00.000Z',
          handled_at: null,
        },
      ],
      next_cursor: null,
    },
    details: { ERR_4006: { field: 'limit', allowed: { minimum: LIMIT.min, maximum: LIMIT.max } } },
  },
});

const HandleBody = z.object({ report_id: uuid, reason });

export const HANDLE_REPORT = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-handle-report',
  tags: ADMIN_TAGS,
  operationId: 'adminHandleReport',
  summary: 'Mark a report as handled',
  description: 'Notes that a report was looked at, and why nothing more is to be done about it.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(HandleBody, {
      handled: { summary: 'The account was banned', value: { report_id: REPORT_ID, reason: 'The account is banned.' } },
    }),
  },
  answer: {
    schema: Success,
    description: 'The report is handled',
    example: { success: true },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'report_id', reason: 'missing' } },
  },
});
