import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { deleteHiddenUploads } from './delete-uploads.ts';
import { expireVideos } from './expire-videos.ts';
import { sweepUploads } from './sweep.ts';
import { sweepFiles } from './sweep-files.ts';

const UploadsPayload = z.object({ ids: z.array(z.uuid()) });

export function storageTasks(ctx: Pick<Context, 'clock' | 'db' | 'log' | 'media' | 'policy'>): Tasks {
  const logIfAny = (done: Record<string, number>, message: string) => {
    if (Object.values(done).some((count) => count > 0)) ctx.log.info(done, message);
  };
  return {
    delete_uploads: (payload) => deleteHiddenUploads(ctx, UploadsPayload.parse(payload).ids),
    expire_videos: async (_payload, { signal }) => {
      const { videoDays } = ctx.policy.retention;
      if (videoDays === null) return;
      logIfAny({ videos: await expireVideos(ctx, videoDays, signal) }, 'old videos removed');
    },
    sweep_files: async (_payload, { signal }) => logIfAny(await sweepFiles(ctx, signal), 'files swept'),
    sweep_uploads: async (_payload, { signal }) => logIfAny(await sweepUploads(ctx, signal), 'uploads swept'),
  };
}

/** In graphile-worker's crontab format. The search for files without a row lists the whole store, so once a day is enough. */
export const STORAGE_CRONTAB = [
  '37 * * * * sweep_uploads',
  '47 * * * * expire_videos',
  '27 4 * * * sweep_files ?jobKey=sweep_files',
].join('\n');
