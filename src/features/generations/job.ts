import type { GenerationRequest, ProviderName, VideoProvider, VideoSettings } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** A generation as the worker needs it. `provider` is null when this server has none of that name. */
type FoundJob = {
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
  return {
    provider: ctx.providers.get(row.provider as ProviderName) ?? null,
    providerJobId: row.provider_job_id,
    request: {
      jobId: row.job_id,
      providerModelId: row.provider_model_id,
      prompt: row.prompt,
      // begin_generation stored what completeSettings made.
      settings: row.settings as unknown as VideoSettings,
      image: null,
      // Nobody answers there yet: the provider is asked.
      webhookUrl: null,
    },
    userId: row.user_id,
    status: row.status,
    isDeleted: row.deleted_at !== null,
    deadlineAt: row.deadline_at,
    createdAt: row.created_at,
    videoPath: row.video_url,
  };
}
