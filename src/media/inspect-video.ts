/** Inspects one video file. Runs only in a child process, because decoders crash, leak and hang on hostile files. */
import { TaskRefusal } from '../platform/child-work.ts';
import { checkContainer, type VideoFacts } from './check-container.ts';
import { checkAudio, decodeFrames } from './decode-all.ts';
import type { OpenVideo } from './open-video.ts';
import { openVideo, orRefuse } from './open-video.ts';
import type { ExpectedVideo, ProbedVideo } from './probed-video.ts';
import { CannotRemux, remux } from './remux.ts';
import { writeThumbnail } from './thumbnail.ts';
import { addAudio, transcode } from './transcode.ts';

export type InspectTask = {
  path: string;
  thumbnailPath: string;
  /** Where the converted video is written, if the file has to be converted. Without it such a file is refused. */
  playablePath: string | null;
  expected: ExpectedVideo;
};

/** Throws a `TaskRefusal` with an `UnusableReason`, or with `storage` when the disk fails. */
export async function inspectVideo(task: InspectTask): Promise<ProbedVideo> {
  using source = await openVideo(task.path);
  const facts = await checkContainer(source, task.path, task.expected);
  // Awaited: the file is closed with the return.
  if (facts.delivery === 'as_is') return await decodeAll(source, facts, task.thumbnailPath);
  if (task.playablePath === null) throw new TaskRefusal('unplayable');
  await convert(source, facts, task.playablePath);
  using converted = await openVideo(task.playablePath);
  const found = await checkContainer(converted, task.playablePath, { seconds: task.expected.seconds });
  if (found.delivery !== 'as_is') throw new TaskRefusal('unplayable');
  if (found.packets.packets < shownFrames(facts)) throw new TaskRefusal('undecodable');
  return { ...(await decodeAll(converted, found, task.thumbnailPath)), isConverted: true };
}

/** A stream that cannot be remuxed is decoded and encoded again. */
async function convert(source: OpenVideo, { delivery }: VideoFacts, path: string): Promise<void> {
  if (delivery === 'remux') {
    try {
      return await remux(source, path, addAudio);
    } catch (error) {
      if (!(error instanceof CannotRemux)) throw new TaskRefusal('unplayable');
    }
  }
  if (!(await orRefuse('unknown_codec', source.track.canDecode()))) throw new TaskRefusal('unknown_codec');
  await orRefuse('undecodable', transcode(source, path));
}

/** How many frames at least; 0 for VP8, where a frame may be there only to be predicted from. */
function shownFrames({ probed, packets }: VideoFacts): number {
  return probed.codec === 'vp8' ? 0 : packets.packets - packets.leading;
}

async function decodeAll(video: OpenVideo, facts: VideoFacts, thumbnailPath: string): Promise<ProbedVideo> {
  if (!(await video.track.canDecode())) throw new TaskRefusal('unknown_codec');
  const thumbnail = await orRefuse('undecodable', decodeFrames(video.track, facts.packets, facts.probed));
  if (video.audio) await orRefuse('undecodable', checkAudio(video.audio));
  if (thumbnail) await orRefuse('storage', writeThumbnail(thumbnail, thumbnailPath));
  return facts.probed;
}
