/** What all of Stripe's endpoints have in common: who may call, forms in, JSON out, repeats under a key. */
import type { Context } from 'hono';
import type { z } from 'zod';
import type { SimulatorEnv } from '../drop-connection.ts';
import { invalid, StripeFault } from './errors.ts';
import { parseForm } from './form.ts';
import { createIdempotency, type Reply } from './idempotency.ts';
import type { StripeOperation, StripeParts } from './parts.ts';

export type StripeContext = Context<SimulatorEnv>;

const VERSION = /^\d{4}-\d{2}-\d{2}(?:\.[a-z]+)?$/;
const FORM = /^application\/x-www-form-urlencoded\b/;

export function createHandlers({ calls, secretKey }: Pick<StripeParts, 'calls' | 'secretKey'>) {
  const once = createIdempotency();

  /** Checks who calls, and turns faults into answers. */
  async function guarded(c: StripeContext, run: () => Promise<Response>): Promise<Response> {
    try {
      if (c.req.header('authorization') !== `Bearer ${secretKey}`)
        throw new StripeFault(401, 'Invalid API Key provided', { code: 'api_key_invalid' });
      const version = c.req.header('stripe-version');
      if (version !== undefined && !VERSION.test(version))
        throw new StripeFault(400, `Invalid Stripe API version: ${version}`);
      return await run();
    } catch (error) {
      if (!(error instanceof StripeFault)) throw error;
      return reply(c, { status: error.status, body: error.body });
    }
  }

  return {
    get: (operation: StripeOperation, read: (c: StripeContext) => object) => (c: StripeContext) => {
      const answer = async () => reply(c, { status: 200, body: read(c) });
      return calls.answer(operation, c, () => guarded(c, answer), { ...c.req.query() });
    },
    post: (operation: StripeOperation, write: (c: StripeContext, form: object) => Promise<object>) =>
      async function handle(c: StripeContext): Promise<Response> {
        const body = await c.req.text();
        const key = c.req.header('idempotency-key') ?? null;
        const form = FORM.test(c.req.header('content-type') ?? '') ? parseForm(body) : null;
        const answer = async () => {
          if (!form) throw new StripeFault(400, 'Invalid request: the body must be a form.');
          const run = async () => ({ status: 200, body: await write(c, form) });
          const made = await once(key, { path: c.req.path, body }, run);
          if (made.isReplayed) c.header('idempotent-replayed', 'true');
          return reply(c, made);
        };
        return calls.answer(operation, c, () => guarded(c, answer), { ...form, 'idempotency-key': key });
      },
  };
}

export function reply(c: StripeContext, { status, body }: Reply): Response {
  c.header('request-id', `req_${crypto.randomUUID().replaceAll('-', '')}`);
  const version = c.req.header('stripe-version');
  if (version !== undefined) c.header('stripe-version', version);
  c.header('content-type', 'application/json');
  // Any status of Stripe's.
  return c.body(JSON.stringify(body, null, 2), status as 200);
}

/** Throws Stripe's answer to parameters that it does not accept. */
export function checked<T>(schema: z.ZodType<T>, form: object): T {
  const read = schema.safeParse(form, { reportInput: true });
  if (!read.success) throw invalid(read.error);
  return read.data;
}
