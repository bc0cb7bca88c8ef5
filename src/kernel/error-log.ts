import type { ErrorCode } from './errors.ts';

/** A request that ended with a 5xx. `causes`: what may be stored of the error, its classes and codes. */
export type FailedRequest = {
  code: ErrorCode;
  status: number;
  method: string;
  /** The pattern of the route. */
  endpoint: string;
  userId: string | null;
  requestId: string;
  causes: object[];
};

/** Remembers failed requests for operators. */
export type ErrorLog = {
  /** Returns at once; what it cannot take is dropped and counted. */
  add(failure: FailedRequest): void;
  /** Stores what is left, as far as the database allows. Never throws. */
  drain(): Promise<void>;
};
