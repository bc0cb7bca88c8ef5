import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { limitReached } from './answer.ts';

export type ReportInput = {
  userId: string;
  /** Either a video of this user, or the link of a shared one. */
  video: { jobId: string } | { shareToken: string };
  reason: string;
};

/**
 * Stores what a user reports about a video, for the operator. A repeat about the same video changes nothing. Throws ERR_4007 for a video
 * that is not theirs, or not shared any more, as for an unknown one, and ERR_4004 after too many reports in an hour.
 */
export async function reportVideo(
  ctx: Pick<Context, 'db' | 'log' | 'policy'>,
  { userId, video, reason }: ReportInput,
): Promise<void> {
  const result = await ctx.db.call('report_video', {
    user_id: userId,
    reason,
    limit: ctx.policy.limits.reportsPerHour,
    ...('jobId' in video ? { job_id: video.jobId } : { share_token: video.shareToken }),
  });
  switch (result.outcome) {
    case 'reported':
      ctx.log.info({ report_id: result.report_id, job_id: result.job_id, user_id: userId }, 'a video was reported');
      return;
    case 'repeated':
      return;
    case 'user_not_found':
      throw new Problem('ERR_4005');
    case 'not_found':
      throw new Problem('ERR_4007');
    case 'rate_limited':
      throw limitReached({
        policy: 'reports',
        limit: result.limit,
        windowSeconds: result.window_seconds,
        remaining: 0,
        resetSeconds: result.reset_seconds,
      });
  }
}
