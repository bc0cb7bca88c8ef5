/** What a disk's or a bucket's failure means to a caller. */
import { Problem } from '../kernel/errors.ts';

/** ERR_6002 with the cause kept for our log: no space, no permission, no device. Whatever is already a `Problem` stays. */
export function storageProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('ERR_6002', { cause: error });
}
