/** Checks that a video file plays, reads its format and makes a thumbnail. Every video is probed before it is delivered. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Log } from '../kernel/log.ts';
import { ChildFailure, createChildPool } from '../platform/child-pool.ts';
import type { InspectTask } from './inspect-video.ts';
import type { ExpectedVideo, ProbedVideo } from './probed-video.ts';
import { storageProblem } from './storage-problem.ts';
import { ProbeUnavailable, UNUSABLE_REASONS, UnusableVideo } from './unusable-video.ts';

export { ProbeUnavailable, type UnusableReason, UnusableVideo } from './unusable-video.ts';

export type ProbeRequest = {
  thumbnailPath: string;
  /** Where the converted video goes if phones do not play the file as it is; without it, such a file is unusable. */
  playablePath?: string;
  expected?: ExpectedVideo;
};

export type MediaProbe = {
  /**
   * Checks that the video at `path` is whole and what was ordered, and makes one that phones play where it is not. If this probe
   * decodes, it writes a JPEG to `thumbnailPath`. Throws `UnusableVideo`, `ProbeUnavailable`, `Problem` ERR_6002 when the disk
   * fails, or the signal's reason.
   */
  probe(path: string, request: ProbeRequest, signal?: AbortSignal): Promise<ProbedVideo>;
  close(): Promise<void>;
};

export type ProbeOptions = {
  /** How many files are probed at the same time; the others wait in line. */
  maxParallel: number;
  log: Log;
  timeoutMs?: number;
  processorMsMax?: number;
  /** The environment of the child processes; most machines need nothing. */
  env?: Record<string, string>;
};

/** Converting a minute of 4K takes some five minutes of processor time; what takes longer was made to block the probe. */
const PROCESSOR_MS_MAX = 10 * 60_000;
/** On a busy machine processor time passes slowly. A file that is not ready by then is probed again later. */
const TIMEOUT_MS = 10 * 60_000;
/** A child may be killed for reasons unrelated to the file; after a second crash the file counts as the reason. */
const TRIES_MAX = 2;
/** Decoders hide damage: they fill in what they cannot read and only their log tells. These are its lines about lost pixels. */
const DAMAGE =
  /error while decoding MB|concealing \d+ DC|Invalid NAL unit size|Error parsing NAL unit|decode_slice_header error|no frame!|CABAC_MAX_BIN|cu_qp_delta|Could not find ref with POC/;

export function createProbe(options: ProbeOptions): MediaProbe {
  const pool = createChildPool<InspectTask, ProbedVideo>({
    modulePath: fileURLToPath(new URL('./probe-child.ts', import.meta.url)),
    maxParallel: options.maxParallel,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    processorMsMax: options.processorMsMax ?? PROCESSOR_MS_MAX,
    env: { ...options.env, DISABLE_SYSTEM_FONTS_LOAD: '1', WEBCODECS_LOG: 'ffmpeg=info', NO_COLOR: '1' },
    refuseOn: (line) => (DAMAGE.test(line) ? 'undecodable' : null),
  });
  const probe: MediaProbe['probe'] = async (path, { thumbnailPath, playablePath = null, expected = {} }, signal) => {
    await access(path).catch((error: unknown) => {
      throw storageProblem(error);
    });
    const task: InspectTask = { path, thumbnailPath, playablePath, expected };
    for (let tries = 1; ; tries++) {
      try {
        return await pool.run(task, signal ? { signal } : {}).result;
      } catch (error) {
        if (!(error instanceof ChildFailure)) throw error;
        // The message of a refusal is its reason, which the caller stores; damage comes with a line of the decoder's log.
        if (error.message !== error.reason) {
          options.log.warn({ kind: error.kind, cause: error.message, tries }, 'probe failed');
        }
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
