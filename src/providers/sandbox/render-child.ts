/** The child process that makes one film. */
import { runTaskFromParent } from '../../platform/child-work.ts';

runTaskFromParent(async () => (await import('./render-video.ts')).renderVideo);
