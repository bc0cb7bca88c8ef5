import { z } from '@hono/zod-openapi';
import { userIdCheck, uuid } from '../../../http/api.ts';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';

const jobId = uuid.openapi({ description: 'One of the caller’s jobs.', example: EXAMPLE_IDS.job });

export const ShareBody = userIdCheck.extend({
  job_id: jobId,
  with_prompt: z
    .boolean()
    .nullish()
    .openapi({ description: 'Whether the link’s page shows the prompt. Default: false, also in a repeat.' }),
});

export const Shared = z
  .object({ url: z.string().openapi({ format: 'uri', description: 'The page of the video; the same for a repeat.' }) })
  .openapi('Shared');

export const UnshareBody = userIdCheck.extend({ job_id: jobId });

const REASON = { min: 3, max: 500 };
/** A link's token has 22 characters; a longer text is none. */
const SHARE_TOKEN_MAX = 200;

export const ReportBody = userIdCheck.extend({
  job_id: uuid.nullish().openapi({ type: ['string', 'null'], description: 'One of the caller’s own jobs.' }),
  share_token: z
    .string()
    .min(1)
    .max(SHARE_TOKEN_MAX)
    .nullish()
    .openapi({ description: 'Instead of `job_id`: the last segment of a shared video’s URL.' }),
  reason: z
    .string()
    .trim()
    .check(({ value, issues }) => {
      // In characters as the database counts them: an emoji is one.
      const { length } = [...value];
      const issue = { origin: 'string', input: value, inclusive: true } as const;
      if (length < REASON.min) issues.push({ ...issue, code: 'too_small', minimum: REASON.min });
      if (length > REASON.max) issues.push({ ...issue, code: 'too_big', maximum: REASON.max });
    })
    .openapi({
      type: 'string',
      minLength: REASON.min,
      maxLength: REASON.max,
      description: 'What is wrong with it; for the operator alone.',
    }),
});

export const Succeeded = z.object({ success: z.literal(true) });
