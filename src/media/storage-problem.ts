/** Turns failures of a disk or a bucket into problems for callers. */
import { errorCodeOf } from '../kernel/error-code.ts';
import { Problem } from '../kernel/errors.ts';

/** ERR_6002 with the cause (no space, no permission, no device) for the log. A `Problem` is returned unchanged. */
export function storageProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('ERR_6002', { cause: error });
}

/** The store rejected the request. The message is for the log. */
export class StoreRefusal extends Error {
  readonly status: number;
  /** The store's own code, such as `AccessDenied`; empty where there is none, as in an answer to HEAD. */
  readonly code: string;

  constructor(status: number, code: string) {
    super(`the store answered ${status} ${code}`.trimEnd());
    this.status = status;
    this.code = code;
  }
}

/** Whether a store will go on refusing until its operator changes something: a key, a bucket's name, a folder's owner. */
export function isConfigurationFault(error: unknown): boolean {
  if (!(error instanceof Problem) || error.code !== 'ERR_6002') return false;
  const { cause } = error;
  if (cause instanceof StoreRefusal) return cause.status < 500 && cause.status !== 408 && cause.status !== 429;
  return cause instanceof Error && 'syscall' in cause && 'path' in cause && errorCodeOf(cause) !== null;
}
