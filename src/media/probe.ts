/** Checks that a video file plays, reads its format and makes a thumbnail. Every video is probed before it is delivered. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Log } from '../kernel/log.ts';
import { ChildFailure, createChildPool } from '../platform/child-pool.ts';
import type { InspectTask } from './inspect-video.ts';
import type { ProbedVideo } from './probed-video.ts';
import { storageProblem } from './storage-problem.ts';
import { UNUSABLE_REASONS, UnusableVideo } from './unusable-video.ts';

export { type UnusableReason, UnusableVideo } from './unusable-video.ts';

/** The probe did not run, which says nothing about the file: retry later. The message is for the log. */
export class ProbeUnavailable extends Error {
  override readonly name = 'ProbeUnavailable';
}

export type MediaProbe = {
  /**
   * Reads the video at `path` and, if this probe decodes, writes a JPEG of it to `thumbnailPath`. Throws `UnusableVideo`,
   * `ProbeUnavailable`, `Problem` ERR_6002 when the disk fails, or the signal's reason.
   */
  probe(path: string, options: { thumbnailPath: string }, signal?: AbortSignal): Promise<ProbedVideo>;
  close(): Promise<void>;
};

export type ProbeOptions = {
  /** How many files are probed at the same time; the others wait in line. */
  maxParallel: number;
  log: Log;
  timeoutMs?: number;
  /** The environment of the child processes; most machines need nothing. */
  env?: Record<string, string>;
};

/** A long 1080p clip takes about two seconds; a file that takes longer than this was made to block the probe. */
const TIMEOUT_MS = 30_000;
/** A child may be killed for reasons unrelated to the file; after a second crash the file counts as the reason. */
const TRIES_MAX = 2;

export function createProbe(options: ProbeOptions): MediaProbe {
  const pool = createChildPool<InspectTask, ProbedVideo>({
    modulePath: fileURLToPath(new URL('./probe-child.ts', import.meta.url)),
    maxParallel: options.maxParallel,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    env: { ...options.env, DISABLE_SYSTEM_FONTS_LOAD: '1' },
  });
  const probe: MediaProbe['probe'] = async (path, { thumbnailPath }, signal) => {
    await access(path).catch((error: unknown) => {
      throw storageProblem(error);
    });
    for (let tries = 1; ; tries++) {
      try {
        return await pool.run({ path, thumbnailPath }, signal ? { signal } : {}).result;
      } catch (error) {
        if (!(error instanceof ChildFailure)) throw error;
        if (error.kind !== 'refused')
          options.log.warn({ kind: error.kind, cause: error.message, tries }, 'probe failed');
        if (error.kind !== 'crashed' || tries === TRIES_MAX) throw toProbeError(error);
      }
    }
  };
  return { probe, close: () => pool.close() };
}

function toProbeError(failure: ChildFailure): Error {
  const code = failure.kind === 'refused' ? failure.reason : failure.kind;
  if (code === 'storage') return storageProblem(failure);
  const reason = UNUSABLE_REASONS.find((known) => known === code);
  if (reason) return new UnusableVideo(reason);
  return new ProbeUnavailable(`the probe did not run: ${failure.message}`, { cause: failure });
}
