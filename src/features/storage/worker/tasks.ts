import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { deleteUploadsOf } from './delete-uploads.ts';
import { sweepUploads } from './sweep.ts';

const AccountPayload = z.object({ user_id: z.uuid() });

export function storageTasks(ctx: Pick<Context, 'db' | 'log' | 'media'>): Tasks {
  return {
    delete_uploads: (payload) => deleteUploadsOf(ctx, AccountPayload.parse(payload).user_id),
    sweep_uploads: async () => {
      const done = await sweepUploads(ctx);
      if (done.expired + done.removed > 0) ctx.log.info(done, 'uploads swept');
    },
  };
}

/** In graphile-worker's crontab format: once an hour. */
export const STORAGE_CRONTAB = '37 * * * * sweep_uploads';
