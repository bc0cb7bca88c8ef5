/** fal over HTTP: the queue, the keys and the media host. On one port it is all of fal's hosts. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { type createFaults, wait } from '../faults.ts';
import { problemsWith } from './endpoints.ts';
import { type Identity, jwksOf } from './identity.ts';
import { serveFile } from './media.ts';
import { type Queue, stateOf } from './queue.ts';
import { acceptedBody, type Form, failureOfJob, fileBytesOf, resultBody, statusBody } from './reply.ts';
import type { Job, JobStore } from './store.ts';
import type { Uploads } from './uploads.ts';
import type { Webhooks } from './webhooks.ts';

export type FalOperation = 'submit' | 'status' | 'result' | 'cancel' | 'jwks' | 'media' | 'upload';

export type FalCall = Call<FalOperation>;

export type FalParts = {
  store: JobStore;
  queue: Queue;
  webhooks: Webhooks;
  faults: ReturnType<typeof createFaults>;
  apiKeys: Set<string>;
  identity: Identity;
  calls: CallLog<FalOperation>;
  /** Where fal's documentation allows more than one form of a reply: the one that is used. */
  variants: { form: Form; pendingStatus: 200 | 202 };
  /** Sends the job's webhook once the job has ended. */
  notifyWhenEnded(job: Job): Promise<void>;
  uploads: Uploads;
  log: Log;
  closing: AbortSignal;
};

type FalContext = Context<SimulatorEnv>;

/** How long the reply to a submit waits for an early webhook to be accepted. */
const EARLY_MAX_MS = 2_000;
/** URLs of a job name the app alone: the first two parts of the endpoint. */
const JOB_PATH = /^\/([\w.-]+\/[\w.-]+)\/requests\/([\w-]+)(?:\/(status|response|cancel))?$/;
const inputShape = z.record(z.string(), z.unknown());

export function falApp(parts: FalParts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const { route, answer } = parts.calls;
  app.get(
    '/.well-known/jwks.json',
    route('jwks', (c) => c.json(jwksOf(parts.identity.signingKeys))),
  );
  app.get(
    '/files/*',
    route('media', (c) => serveFile(c, parts.closing)),
  );
  app.post(
    '/storage/upload/initiate',
    route('upload', (c) => (customerOf(parts, c) ? parts.uploads.initiate(c) : unauthorized(c))),
  );
  app.put('/uploads/*', route('upload', parts.uploads.store));
  app.get('/uploads/*', route('media', parts.uploads.serve));
  app.post('*', (c) => submit(parts, c));
  app.get('*', (c) => {
    const isStatus = c.req.path.endsWith('/status');
    return answer(isStatus ? 'status' : 'result', c, () => (isStatus ? getStatus(parts, c) : getResult(parts, c)));
  });
  app.put(
    '*',
    route('cancel', (c) => cancel(parts, c)),
  );
  app.onError((error, c) => {
    parts.log.error({ cause: error.message }, 'the fal simulator failed');
    return c.text('Internal Server Error', 500);
  });
  return app;
}

/** The API key; undefined where fal does not know it. */
function customerOf({ apiKeys }: FalParts, c: FalContext): string | undefined {
  const [, key = ''] = /^Key (\S+)$/.exec(c.req.header('authorization') ?? '') ?? [];
  return apiKeys.has(key) ? key : undefined;
}

function unauthorized(c: FalContext): Response {
  return c.json({ detail: 'Cannot access application. Authentication is required to access this application.' }, 401);
}

async function submit(parts: FalParts, c: FalContext): Promise<Response> {
  const input = inputShape.safeParse(await c.req.json().catch(() => undefined)).data;
  return parts.calls.answer('submit', c, () => acceptJob(parts, c, input), input);
}

async function acceptJob(
  parts: FalParts,
  c: FalContext,
  input: Record<string, unknown> | undefined,
): Promise<Response> {
  const { queue, variants, notifyWhenEnded, webhooks } = parts;
  const owner = customerOf(parts, c);
  if (!owner) return unauthorized(c);
  const endpoint = c.req.path.slice(1);
  if (problemsWith(endpoint, input) === null) return c.json({ detail: `Application '${endpoint}' not found` }, 404);
  if (!input) return c.json({ detail: 'Invalid JSON body', error_type: 'bad_request' }, 400);

  const { origin } = new URL(c.req.url);
  const job = await queue.add({ endpoint, owner, origin, input, webhookUrl: c.req.query('fal_webhook') ?? null });
  const isEarly = job.webhookUrl !== null && webhooks.takeEarly();
  const notified = notifyWhenEnded(isEarly ? await queue.finish(job.requestId) : job);
  // A receiver that does not accept it at once gets it again later.
  if (isEarly) await Promise.race([notified, wait(EARLY_MAX_MS, parts.closing)]);
  c.header('x-fal-request-id', job.requestId);
  return c.json(acceptedBody(job, origin, variants.form, queue.nowMs()), 200);
}

/** The job that the path names, if the caller owns it; else a 404. */
async function jobAt(parts: FalParts, c: FalContext): Promise<Job | Response> {
  const owner = customerOf(parts, c);
  if (!owner) return unauthorized(c);
  const [, app, requestId = ''] = JOB_PATH.exec(c.req.path) ?? [];
  const job = app === undefined ? undefined : await parts.store.read(requestId);
  const isTheirs = job?.owner === owner && job.endpoint.split('/').slice(0, 2).join('/') === app;
  return job && isTheirs ? job : c.json({ detail: 'Request not found', status: 'NOT_FOUND' }, 404);
}

async function getStatus(parts: FalParts, c: FalContext): Promise<Response> {
  const job = await jobAt(parts, c);
  if (job instanceof Response) return job;
  const nowMs = parts.queue.nowMs();
  const { origin } = new URL(c.req.url);
  const body = statusBody(job, origin, { form: parts.variants.form, logs: c.req.query('logs') === '1', nowMs });
  return c.json(body, stateOf(job, nowMs) === 'COMPLETED' ? 200 : parts.variants.pendingStatus);
}

async function getResult(parts: FalParts, c: FalContext): Promise<Response> {
  const job = await jobAt(parts, c);
  if (job instanceof Response) return job;
  if (stateOf(job, parts.queue.nowMs()) !== 'COMPLETED') return c.json({ detail: 'Request is still in progress' }, 400);
  c.header('x-fal-request-id', job.requestId);
  const failure = failureOfJob(job);
  if (!failure) return c.json(resultBody(job, new URL(c.req.url).origin, await fileBytesOf(job)));
  if (failure.errorType !== undefined) c.header('x-fal-error-type', failure.errorType);
  if (failure.isRetryable !== undefined) c.header('x-fal-retryable', String(failure.isRetryable));
  return new Response(JSON.stringify(failure.body), {
    status: failure.status,
    headers: { ...Object.fromEntries(c.res.headers), 'content-type': 'application/json' },
  });
}

async function cancel(parts: FalParts, c: FalContext): Promise<Response> {
  const job = await jobAt(parts, c);
  if (job instanceof Response) return job;
  const status = await parts.queue.cancel(job);
  return c.json({ status }, status === 'ALREADY_COMPLETED' ? 400 : 202);
}
