import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { deleteHiddenUploads } from './delete-uploads.ts';
import { sweepUploads } from './sweep.ts';

const UploadsPayload = z.object({ ids: z.array(z.uuid()) });

export function storageTasks(ctx: Pick<Context, 'db' | 'log' | 'media'>): Tasks {
  return {
    delete_uploads: (payload) => deleteHiddenUploads(ctx, UploadsPayload.parse(payload).ids),
    sweep_uploads: async () => {
      const done = await sweepUploads(ctx);
      if (done.expired + done.removed > 0) ctx.log.info(done, 'uploads swept');
    },
  };
}

/** In graphile-worker's crontab format: once an hour. */
export const STORAGE_CRONTAB = '37 * * * * sweep_uploads';
