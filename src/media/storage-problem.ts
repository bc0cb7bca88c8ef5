/** Turns failures of a disk or a bucket into problems for callers. */
import { Problem } from '../kernel/errors.ts';

/** ERR_6002 with the cause (no space, no permission, no device) for the log. A `Problem` is returned unchanged. */
export function storageProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('ERR_6002', { cause: error });
}
