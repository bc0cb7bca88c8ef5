import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MediaProbe, UnusableVideo } from '../../src/media/probe.ts';
import type { ProbedVideo } from '../../src/media/probed-video.ts';

type Verdict = { probed: ProbedVideo; thumbnail: string; playable: string } | { unusable: UnusableVideo };

/** A probe that inspects the same bytes once: its child process takes longer than the rest of a fault's case. */
export async function rememberVerdicts(probe: MediaProbe): Promise<MediaProbe> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-verdicts-'));
  const verdicts = new Map<string, Verdict>();

  async function inspect(
    key: string,
    ...[path, { expected }, signal]: Parameters<MediaProbe['probe']>
  ): Promise<Verdict> {
    const [thumbnail, playable] = [join(folder, `${key}.jpg`), join(folder, `${key}.mp4`)];
    const request = { thumbnailPath: thumbnail, playablePath: playable, ...(expected ? { expected } : {}) };
    try {
      return { probed: await probe.probe(path, request, signal), thumbnail, playable };
    } catch (error) {
      if (error instanceof UnusableVideo) return { unusable: error };
      throw error;
    }
  }

  return {
    async probe(path, request, signal) {
      const key = createHash('sha256')
        .update(await readFile(path))
        .update(JSON.stringify(request.expected ?? null))
        .digest('hex');
      const verdict = verdicts.get(key) ?? (await inspect(key, path, request, signal));
      verdicts.set(key, verdict);
      if ('unusable' in verdict) throw verdict.unusable;
      await copyFile(verdict.thumbnail, request.thumbnailPath);
      if (verdict.probed.isConverted && request.playablePath) await copyFile(verdict.playable, request.playablePath);
      return verdict.probed;
    },
    async close() {
      await probe.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
