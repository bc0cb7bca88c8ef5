/** The probe for runtimes without native code: it reads the container of a video to the last byte and decodes no frame. */
import { access } from 'node:fs/promises';
import { TaskRefusal } from '../platform/task-refusal.ts';
import { checkContainer } from './check-container.ts';
import { openVideo, orRefuse } from './open-video.ts';
import type { MediaProbe, ProbeRequest } from './probe.ts';
import type { ProbedVideo } from './probed-video.ts';
import { remux } from './remux.ts';
import { storageProblem } from './storage-problem.ts';
import { ProbeUnavailable, UNUSABLE_REASONS, UnusableVideo } from './unusable-video.ts';
import { copyAudio } from './write-mp4.ts';

/** Reading even a long video takes a second on an idle machine; on a busy one it is tried again later. */
const TIMEOUT_MS = 20_000;

/**
 * Refuses a file that is no video, is not what was ordered, lacks bytes of a frame, or holds bytes that no encoder writes. It
 * remuxes what phones play in another container, refuses what it would have to decode, and writes no thumbnail.
 */
export function createContainerProbe({ timeoutMs = TIMEOUT_MS } = {}): MediaProbe {
  return {
    async probe(path, request, signal) {
      await access(path).catch((error: unknown) => {
        throw storageProblem(error);
      });
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        return await inspectContainer(path, request, signal ? AbortSignal.any([signal, limit]) : limit);
      } catch (error) {
        signal?.throwIfAborted();
        if (limit.aborted) throw new ProbeUnavailable(`the file was not read within ${timeoutMs} ms`);
        const reason = error instanceof TaskRefusal && UNUSABLE_REASONS.find((known) => known === error.reason);
        throw reason ? new UnusableVideo(reason) : error;
      }
    },
    async close() {},
  };
}

async function inspectContainer(
  path: string,
  { playablePath, expected = {} }: ProbeRequest,
  signal: AbortSignal,
): Promise<ProbedVideo> {
  using source = await openVideo(path);
  const facts = await checkContainer(source, path, expected, signal);
  if (facts.delivery === 'as_is') return facts.probed;
  if (facts.delivery === 'transcode' || playablePath === undefined) throw new TaskRefusal('unplayable');
  await orRefuse('unplayable', remux(source, playablePath, copyAudio));
  using converted = await openVideo(playablePath);
  const found = await checkContainer(converted, playablePath, {}, signal);
  return { ...found.probed, isConverted: true };
}
