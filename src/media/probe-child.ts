/** The child process that inspects one video. */
import { answerParent } from '../kernel/child-work.ts';

answerParent(async () => (await import('./inspect.ts')).inspectVideo);
