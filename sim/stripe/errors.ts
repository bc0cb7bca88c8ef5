import type { z } from 'zod';

export type ErrorType = 'invalid_request_error' | 'idempotency_error' | 'api_error' | 'card_error';

/** An answer of Stripe's that is an error. */
export class StripeFault extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string | undefined;
  readonly param: string | undefined;

  constructor(status: number, message: string, more: { type?: ErrorType; code?: string; param?: string } = {}) {
    super(message);
    this.status = status;
    this.type = more.type ?? 'invalid_request_error';
    this.code = more.code;
    this.param = more.param;
  }

  get body(): { error: object } {
    const { type, code, param, message } = this;
    const codes = code === undefined ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${code}` };
    return { error: { ...codes, message, ...(param === undefined ? {} : { param }), type } };
  }
}

export function noSuch(what: string, id: string, param = 'id'): StripeFault {
  return new StripeFault(404, `No such ${what}: '${id}'`, { code: 'resource_missing', param });
}

/** What Stripe says of parameters that it does not accept; it names one. */
export function invalid({ issues: [issue] }: z.ZodError): StripeFault {
  if (issue?.code === 'unrecognized_keys') {
    const param = paramOf([...issue.path, issue.keys[0] ?? '']);
    return new StripeFault(400, `Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = paramOf(issue?.path ?? []);
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined;
  return isMissing
    ? new StripeFault(400, `Missing required param: ${param}.`, { code: 'parameter_missing', param })
    : new StripeFault(400, `Invalid ${param}: ${issue?.message}`, { param });
}

function paramOf([first = '', ...rest]: PropertyKey[]): string {
  return [String(first), ...rest.map((part) => `[${String(part)}]`)].join('');
}
