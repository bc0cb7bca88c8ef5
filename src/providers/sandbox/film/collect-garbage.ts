/** Frees what native objects hold. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * A closed frame keeps its pixels until the small object around it is collected, and V8, which cannot see the pixels, sees no
 * reason to: hundreds of megabytes. So it is told to, which takes it a few milliseconds.
 */
export const collectGarbage: () => void = exposeCollector();

function exposeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
