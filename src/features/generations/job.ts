import { type Selectable, sql } from 'kysely';
import type { VideoJobs } from '../../db/generated.ts';
import type { GenerationRequest, SourceImage, VideoProvider, VideoSettings } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { callbackUrlFor } from './callback-url.ts';
import { sourceImage } from './source-image.ts';

/** A generation as the worker needs it. `provider` is null if this server does not have the provider. */
export type FoundJob = {
  provider: VideoProvider | null;
  providerJobId: string | null;
  request: GenerationRequest;
  status: string;
  isDeleted: boolean;
  /** When it was charged, by this process's clock. */
  begunAt: Date;
  /** By this process's clock: the database says how long is left, so that a clock that is wrong ends no job early. */
  deadlineAt: Date;
  /** The paths of its files in their buckets, stored or not yet. Null if no file was or will be stored. */
  videoPath: string | null;
  thumbnailPath: string | null;
};
export type ProviderJob = Omit<FoundJob, 'provider'> & { provider: VideoProvider };

/** Whether this server has the provider that the job was charged for. */
export function hasProvider(job: FoundJob | null): job is FoundJob & ProviderJob {
  return job !== null && job.provider !== null;
}

export type JobContext = Pick<Context, 'callbackUrl' | 'clock' | 'db' | 'media' | 'mediaSigner' | 'providers'>;

export async function findJob(ctx: JobContext, jobId: string): Promise<FoundJob | null> {
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .selectAll()
    .select(sql<number>`extract(epoch from deadline_at - clock_timestamp())::float8 * 1000`.as('ms_left'))
    .select(sql<number>`extract(epoch from clock_timestamp() - created_at)::float8 * 1000`.as('ms_old'))
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  if (!row) return null;
  const provider = ctx.providers.get(row.provider) ?? null;
  return {
    provider,
    providerJobId: row.provider_job_id,
    request: {
      jobId: row.job_id,
      providerModelId: row.provider_model_id,
      prompt: row.prompt,
      // begin_generation stored the result of completeSettings.
      settings: row.settings as unknown as VideoSettings,
      image: await imageOf(ctx, row, provider),
      webhookUrl: provider && callbackUrlOf(ctx, provider, jobId),
    },
    status: row.status,
    isDeleted: row.deleted_at !== null,
    begunAt: new Date(ctx.clock.now().getTime() - row.ms_old),
    deadlineAt: new Date(ctx.clock.now().getTime() + row.ms_left),
    videoPath: row.video_url ?? withExtension(row.media_path, 'mp4'),
    thumbnailPath: row.thumbnail_url ?? withExtension(row.media_path, 'jpg'),
  };
}

function withExtension(mediaPath: string | null, extension: string): string | null {
  return mediaPath && `${mediaPath}.${extension}`;
}

type ImageRow = Pick<Selectable<VideoJobs>, 'image_url' | 'created_at' | 'deadline_at' | 'status'>;

async function imageOf(ctx: JobContext, row: ImageRow, provider: VideoProvider | null): Promise<SourceImage | null> {
  const { image_url: path, created_at: createdAt, deadline_at: deadlineAt, status } = row;
  if (path === null) return null;
  return sourceImage(ctx, { path, provider, createdAt, deadlineAt, isSent: status !== 'pending' });
}

/** Null if the provider sends no events or cannot reach this server. It is then only polled, which is a little slower. */
function callbackUrlOf(ctx: Pick<Context, 'callbackUrl'>, provider: VideoProvider, jobId: string): string | null {
  const base = ctx.callbackUrl(provider);
  return base === null || provider.webhooksFrom === undefined
    ? null
    : callbackUrlFor(base, provider.webhooksFrom, jobId);
}
