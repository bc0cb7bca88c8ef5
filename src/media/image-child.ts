/** The child process that checks one image. */
import { runTaskFromParent } from '../platform/child-work.ts';

runTaskFromParent(async () => (await import('./check-image.ts')).checkImage);
