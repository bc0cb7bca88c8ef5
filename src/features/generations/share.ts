import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** 128 random bits: 22 characters of base64url. */
const TOKEN_BYTES = 16;
const TOKEN = /^[A-Za-z0-9_-]{22}$/;

/** A shared video, as its page shows it. The paths are those in the buckets `videos` and `thumbnails`. */
export type SharedVideo = {
  jobId: string;
  modelName: string;
  /** Null unless its owner shares it too. */
  prompt: string | null;
  videoPath: string;
  thumbnailPath: string | null;
  completedAt: Date;
};

/**
 * Gives a completed video of this user a link and returns its token; the same token for a repeat, which may change whether the prompt
 * is shown. Throws ERR_4007 for another user's video as for an unknown one, and ERR_4008 for one that is not there to be seen.
 */
export async function shareVideo(
  ctx: Pick<Context, 'db' | 'randomBytes'>,
  input: { userId: string; jobId: string; withPrompt: boolean },
): Promise<string> {
  const result = await ctx.db.call('share_video', {
    user_id: input.userId,
    job_id: input.jobId,
    token: base64url(ctx.randomBytes(TOKEN_BYTES)),
    with_prompt: input.withPrompt,
  });
  if (result.outcome === 'shared') return result.token;
  if (result.outcome === 'not_found') throw new Problem('ERR_4007');
  throw new Problem('ERR_4008', { details: { reason: result.outcome } });
}

/** Ends a video's link. Repeating it succeeds. Throws ERR_4007 for another user's video as for an unknown one. */
export async function unshareVideo(
  ctx: Pick<Context, 'db'>,
  { userId, jobId }: { userId: string; jobId: string },
): Promise<void> {
  if (!(await ctx.db.call('unshare_video', { user_id: userId, job_id: jobId }))) throw new Problem('ERR_4007');
}

/** The video of a link; null if the link, the video or the account is gone, or the account is banned. */
export async function readShare(ctx: Pick<Context, 'db'>, token: string): Promise<SharedVideo | null> {
  if (!TOKEN.test(token)) return null;
  const { rows } = await sql<ShareRow>`
    select job_id, model_name, prompt, video_url, thumbnail_url, completed_at from public.find_share(${token})
  `.execute(ctx.db.read);
  const row = rows[0];
  if (!row) return null;
  return {
    jobId: row.job_id,
    modelName: row.model_name,
    prompt: row.prompt,
    videoPath: row.video_url,
    thumbnailPath: row.thumbnail_url,
    completedAt: row.completed_at,
  };
}

type ShareRow = {
  job_id: string;
  model_name: string;
  prompt: string | null;
  video_url: string;
  thumbnail_url: string | null;
  completed_at: Date;
};

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
