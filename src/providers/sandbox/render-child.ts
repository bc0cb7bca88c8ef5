/** The child process that renders one video. */
import { runTaskFromParent } from '../../platform/child-work.ts';

runTaskFromParent(async () => (await import('./render-video.ts')).renderVideo);
