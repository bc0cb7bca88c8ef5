/** Checks images in child processes of low priority: an image of ten megabytes can keep a decoder busy for seconds. */
import { fileURLToPath } from 'node:url';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { ChildFailure, createChildPool } from '../platform/child-pool.ts';
import type { CheckImageTask } from './check-image.ts';
import type { ImageCheck, ImageVerdict } from './image-check.ts';

export type ImageCheckOptions = {
  /** How many images are checked at the same time; the others wait in line. */
  maxParallel: number;
  log: Log;
  /** The environment of the child processes; most machines need nothing. */
  env?: Record<string, string>;
  timeoutMs?: number;
};

/** The largest image takes seconds; only a machine that is busy with other work, or a hostile file, takes this long. */
const TIMEOUT_MS = 60_000;
const RETRY_AFTER_SECONDS = 5;

/** A child may be killed for reasons unrelated to the image; after a second crash the image counts as the reason. */
const TRIES_MAX = 2;

/** A check that could not start, or took too long, says nothing about the image: the caller may retry. */
export function createImageCheckPool({ maxParallel, log, env, timeoutMs = TIMEOUT_MS }: ImageCheckOptions): ImageCheck {
  const pool = createChildPool<CheckImageTask, ImageVerdict>({
    modulePath: fileURLToPath(new URL('./image-child.ts', import.meta.url)),
    maxParallel,
    timeoutMs,
    env: { ...env, DISABLE_SYSTEM_FONTS_LOAD: '1' },
  });
  return {
    async check(path) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await pool.run({ path }).result;
        } catch (error) {
          const kind = error instanceof ChildFailure ? error.kind : null;
          log.warn({ kind, cause: String(error), tries }, 'image check failed');
          if (kind !== 'crashed')
            throw new Problem('ERR_6002', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
          if (tries === TRIES_MAX) return { fault: 'damaged' };
        }
      }
    },
    close: () => pool.close(),
  };
}
