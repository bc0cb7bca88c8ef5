/** The child process that renders one video. */
import { answerParent } from '../../platform/child-work.ts';

answerParent(async () => (await import('./render-video.ts')).renderVideo);
