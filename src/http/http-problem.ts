import { type ErrorCode, Problem, type ProblemOptions } from '../kernel/errors.ts';

/** A problem whose answer carries headers that mean something to HTTP alone, such as `Allow`. */
export class HttpProblem extends Problem {
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, { headers, ...options }: ProblemOptions & { headers: Record<string, string> }) {
    super(code, options);
    this.headers = headers;
  }
}
