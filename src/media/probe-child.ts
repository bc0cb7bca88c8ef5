/** The child process that inspects one video. */
import { runTaskFromParent } from '../platform/child-work.ts';

runTaskFromParent(async () => (await import('./inspect-video.ts')).inspectVideo);
