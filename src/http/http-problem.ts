import { type ErrorCode, Problem, type ProblemOptions } from '../kernel/errors.ts';

/** A problem whose response has HTTP headers of its own, such as `Allow`. */
export class HttpProblem extends Problem {
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, { headers, ...options }: ProblemOptions & { headers: Record<string, string> }) {
    super(code, options);
    this.headers = headers;
  }
}
