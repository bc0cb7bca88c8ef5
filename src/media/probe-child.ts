/** The child process that inspects one video. */
import { answerParent } from '../platform/child-work.ts';

answerParent(async () => (await import('./inspect-video.ts')).inspectVideo);
