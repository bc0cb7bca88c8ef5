import { callerId } from '../../../http/caller.ts';
import { originOf } from '../../../http/origin.ts';
import type { Router } from '../../../http/route.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { type ReportInput, reportVideo } from '../report.ts';
import { shareVideo, unshareVideo } from '../share.ts';
import { REPORT_VIDEO, SHARE_VIDEO, UNSHARE_VIDEO } from './sharing-openapi.ts';

export function sharingRoutes(router: Router, ctx: Pick<Context, 'db' | 'log' | 'policy' | 'randomBytes'>): void {
  router.add(SHARE_VIDEO, async (c) => {
    const { job_id: jobId, with_prompt: withPrompt } = c.req.valid('json');
    const token = await shareVideo(ctx, { userId: callerId(c), jobId, withPrompt: withPrompt ?? false });
    return c.json({ url: `${originOf(c)}/v/${token}` }, 200);
  });

  router.add(UNSHARE_VIDEO, async (c) => {
    await unshareVideo(ctx, { userId: callerId(c), jobId: c.req.valid('json').job_id });
    return c.json({ success: true as const }, 200);
  });

  router.add(REPORT_VIDEO, async (c) => {
    const { job_id: jobId, share_token: shareToken, reason } = c.req.valid('json');
    await reportVideo(ctx, { userId: callerId(c), video: theOneOf(jobId, shareToken), reason });
    return c.json({ success: true as const }, 200);
  });
}

/** Exactly one of the two names the video; otherwise ERR_4006. */
function theOneOf(jobId: string | null | undefined, shareToken: string | null | undefined): ReportInput['video'] {
  if (jobId && shareToken) throw new Problem('ERR_4006', { details: { field: 'share_token' } });
  if (jobId) return { jobId };
  if (shareToken) return { shareToken };
  throw new Problem('ERR_4006', { details: { field: 'job_id', reason: 'missing' } });
}
