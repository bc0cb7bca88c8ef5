import { EXAMPLE_IDS, jsonContent } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { ReportBody, ShareBody, Shared, Succeeded, UnshareBody } from './sharing-schemas.ts';

const TAGS = ['Video jobs'];
const TOKEN = 'q0Zb3xw1mH8sY2dKcV7nRg';
const REASON = 'It shows a person who has not agreed to it.';

export const SHARE_VIDEO = userRoute({
  method: 'post',
  path: '/functions/v1/share-video',
  tags: TAGS,
  operationId: 'shareVideo',
  summary: 'Share a video by a link',
  description:
    'Gives a completed video of the caller a link that anyone can open, and that no one can guess. A repeat returns the same link, ' +
    'and sets anew whether its page shows the prompt. The link ends with `unshare-video`, the video or the account; a video that ' +
    'is shared again gets another one.',
  request: {
    body: jsonContent(ShareBody, {
      plain: { summary: 'The video alone', value: { job_id: EXAMPLE_IDS.job } },
      prompt: { summary: 'With its prompt', value: { job_id: EXAMPLE_IDS.job, with_prompt: true } },
    }),
  },
  answer: {
    schema: Shared,
    description: 'The link',
    example: { url: `http://localhost:8787/v/${TOKEN}` },
    errors: ['ERR_4007', 'ERR_4008'],
    details: { ERR_4006: { field: 'job_id', reason: 'missing' }, ERR_4008: { reason: 'running' } },
  },
});

export const UNSHARE_VIDEO = userRoute({
  method: 'post',
  path: '/functions/v1/unshare-video',
  tags: TAGS,
  operationId: 'unshareVideo',
  summary: 'End a video’s link',
  description: 'Ends the link at once. Ending it again succeeds.',
  request: {
    body: jsonContent(UnshareBody, { job: { summary: 'A shared video', value: { job_id: EXAMPLE_IDS.job } } }),
  },
  answer: {
    schema: Succeeded,
    description: 'The video is not shared',
    example: { success: true as const },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'job_id', reason: 'missing' } },
  },
});

export const REPORT_VIDEO = userRoute({
  method: 'post',
  path: '/functions/v1/report-video',
  tags: TAGS,
  operationId: 'reportVideo',
  summary: 'Report a video to the operator',
  description:
    'Stores what is wrong with a video: one of the caller’s own, by `job_id`, or a shared one, by the `share_token` at the end of ' +
    'its URL; exactly one of the two. A repeat about the same video changes nothing and succeeds. Only so many reports an hour are taken.',
  request: {
    body: jsonContent(ReportBody, {
      shared: { summary: 'A shared video', value: { share_token: TOKEN, reason: REASON } },
      own: { summary: 'One of the caller’s own', value: { job_id: EXAMPLE_IDS.job, reason: REASON } },
    }),
  },
  answer: {
    schema: Succeeded,
    description: 'The report is stored',
    example: { success: true as const },
    errors: ['ERR_4007'],
    details: {
      ERR_4004: { retry_after: 1200 },
      ERR_4006: { field: 'reason', allowed: { minLength: 3, maxLength: 500 } },
    },
  },
});
