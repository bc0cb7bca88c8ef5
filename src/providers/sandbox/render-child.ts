/** The child process that makes one film. */
import { answerParent } from '../../platform/child-work.ts';

answerParent(async () => (await import('./render-video.ts')).renderVideo);
