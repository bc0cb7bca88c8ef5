import type {
  GenerationRequest,
  ProviderName,
  SourceImage,
  VideoProvider,
  VideoSettings,
} from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { sourceImage } from './image.ts';
import { webhookUrlFor } from './webhook-url.ts';

/** A generation as the worker needs it. `provider` is null when this server has none of that name. */
export type FoundJob = {
  provider: VideoProvider | null;
  providerJobId: string | null;
  request: GenerationRequest;
  userId: string;
  status: string;
  isDeleted: boolean;
  deadlineAt: Date;
  createdAt: Date;
  videoPath: string | null;
};
export type ProviderJob = Omit<FoundJob, 'provider'> & { provider: VideoProvider };

/** Whether this server has the provider that the job was sold for. */
export function hasProvider(job: FoundJob | null): job is FoundJob & ProviderJob {
  return job !== null && job.provider !== null;
}

export async function findJob(ctx: Context, jobId: string): Promise<FoundJob | null> {
  const row = await ctx.db.read.selectFrom('video_jobs').selectAll().where('job_id', '=', jobId).executeTakeFirst();
  if (!row) return null;
  const provider = ctx.providers.get(row.provider as ProviderName) ?? null;
  return {
    provider,
    providerJobId: row.provider_job_id,
    request: {
      jobId: row.job_id,
      providerModelId: row.provider_model_id,
      prompt: row.prompt,
      // begin_generation stored what completeSettings made.
      settings: row.settings as unknown as VideoSettings,
      image: await imageOf(ctx, row, provider),
      webhookUrl: provider && webhookUrlOf(ctx, provider, jobId),
    },
    userId: row.user_id,
    status: row.status,
    isDeleted: row.deleted_at !== null,
    deadlineAt: row.deadline_at,
    createdAt: row.created_at,
    videoPath: row.video_url,
  };
}

type ImageRow = { image_url: string | null; created_at: Date; deadline_at: Date; status: string };

async function imageOf(ctx: Context, row: ImageRow, provider: VideoProvider | null): Promise<SourceImage | null> {
  const { image_url: path, created_at: createdAt, deadline_at: deadlineAt, status } = row;
  if (path === null) return null;
  return sourceImage(ctx, { path, provider, createdAt, deadlineAt, isSent: status !== 'pending' });
}

/** Null where the provider sends no events, or cannot reach this server: then it is asked, and all is a little slower. */
function webhookUrlOf(ctx: Context, provider: VideoProvider, jobId: string): string | null {
  const base = ctx.addressFor(provider);
  return base === null || provider.webhooksFrom === undefined
    ? null
    : webhookUrlFor(base, provider.webhooksFrom, jobId);
}
