import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { sweepUploads } from './sweep.ts';

export function storageTasks(ctx: Pick<Context, 'db' | 'log' | 'media'>): Tasks {
  return {
    sweep_uploads: async () => {
      const done = await sweepUploads(ctx);
      if (done.expired + done.removed > 0) ctx.log.info(done, 'uploads swept');
    },
  };
}

/** In graphile-worker's crontab format: once an hour. */
export const STORAGE_CRONTAB = '37 * * * * sweep_uploads';
