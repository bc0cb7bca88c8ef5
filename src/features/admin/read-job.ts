import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { JOB_COLUMNS, type ListedJob } from './list-jobs.ts';
import { maskPrompt } from './mask-prompt.ts';

export type JobAttempt = {
  id: string;
  attempt: number;
  provider: string;
  provider_model_id: string;
  state: string;
  result: string | null;
  error: string | null;
  provider_job_id: string | null;
  vendor_request_id: string | null;
  vendor_cost_usd: number | null;
  created_at: Date;
  closed_at: Date | null;
  ended_at: Date | null;
};
/** `source`: whether a provider has told us, or we have told the account's apps; those events are kept for a day. */
export type JobEvent = { at: Date; source: 'provider' | 'account'; type: string; sender: string | null };
export type JobFile = {
  kind: 'video' | 'thumbnail' | 'image';
  path: string;
  bytes: number | null;
  sha256: string | null;
};
export type JobDetails = {
  job: ListedJob & { settings: unknown; deadline_at: Date; video_seconds: number | null };
  attempts: JobAttempt[];
  events: JobEvent[];
  files: JobFile[];
};

/** Far more than a job has. */
const ROWS_MAX = 200;

type Found = JobDetails['job'] & {
  prompt: string;
  image_url: string | null;
  video_url: string | null;
  thumbnail_url: string | null;
  video_bytes: number | null;
  video_sha256: string | null;
};

/** A job with its attempts, events and files; without the prompt. Throws ERR_4007. */
export async function readJob({ db: { read } }: Pick<Context, 'db'>, jobId: string): Promise<JobDetails> {
  const [found, attempts, events] = await Promise.all([
    sql<Found>`
      select ${JOB_COLUMNS}, t.settings, t.deadline_at, t.video_seconds::float8 as video_seconds, t.prompt, t.image_url,
        t.video_url, t.thumbnail_url, t.video_bytes, t.video_sha256
      from video_jobs t where t.job_id = ${jobId}::uuid`.execute(read),
    sql<JobAttempt & { result_error: string | null }>`
      select id, attempt, provider, provider_model_id, state, result, error, result_error, provider_job_id, vendor_request_id,
        vendor_cost_usd::float8 as vendor_cost_usd, created_at, closed_at, ended_at
      from provider_attempts where job_id = ${jobId}::uuid order by attempt limit ${ROWS_MAX}`.execute(read),
    sql<JobEvent>`
      select * from (
        (select created_at as at, 'provider' as source, effect as type, sender
         from provider_events where job_id = ${jobId}::uuid order by id limit ${ROWS_MAX})
        union all
        (select created_at, 'account', type, null from user_events where job_id = ${jobId}::uuid order by id limit ${ROWS_MAX})
      ) e
      order by at`.execute(read),
  ]);
  const [row] = found.rows;
  if (!row) throw new Problem('ERR_4007', { details: { field: 'job_id' } });
  const { prompt, image_url, video_url, thumbnail_url, video_bytes, video_sha256, ...job } = row;
  return {
    job,
    attempts: attempts.rows.map(({ result_error, error, ...attempt }) => {
      const message = result_error ?? error;
      return { ...attempt, error: message === null ? null : maskPrompt(message, prompt) };
    }),
    events: events.rows,
    files: [
      ...fileOf('video', video_url && `videos/${video_url}`, video_bytes, video_sha256),
      ...fileOf('thumbnail', thumbnail_url && `thumbnails/${thumbnail_url}`),
      ...fileOf('image', image_url && `user_uploads/${image_url}`),
    ],
  };
}

function fileOf(
  kind: JobFile['kind'],
  path: string | null,
  bytes: number | null = null,
  sha256: string | null = null,
): JobFile[] {
  return path ? [{ kind, path, bytes, sha256 }] : [];
}
