/** The child process that inspects one video. */
import { answerParent } from '../kernel/child-pool.ts';

answerParent(async () => (await import('./inspect.ts')).inspectVideo);
