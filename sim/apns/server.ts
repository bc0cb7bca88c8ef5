/** APNs over HTTP/2 without TLS, on a port of this machine. */
import { once } from 'node:events';
import {
  constants,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import type { Authority } from './authority.ts';
import type { Inbox } from './inbox.ts';
import { judge, type PushRequest, type Refusal } from './judge.ts';
import type { Plan, Plans } from './plans.ts';

/** `session`: which connection it came on, counted from 1. `status`: null where there was no answer. */
export type ApnsCall = {
  id: string | null;
  path: string;
  session: number;
  authorization: string;
  status: number | null;
  reason: string | null;
};

export type ServerOptions = {
  bundleId: string;
  authority: Authority;
  inbox: Inbox;
  plans: Plans;
  clock: Clock;
  log: Log;
};

type Session = { number: number; token: string | null; tokenSinceMs: number };

const BODY_CHARACTERS_MAX = 8_192;
const CALLS_KEPT = 1_000;
/** Apple lets a connection that has not proved who it is have one request at a time. */
const STREAMS_UNPROVEN = 1;
const STREAMS_PROVEN = 1_000;
const TOKEN_CHANGES_APART_MS = 20 * 60_000;

export type ApnsServer = {
  origin: string;
  calls(): ApnsCall[];
  /** How many connections there have been. */
  connections(): number;
  goAway(code?: number): void;
  close(): Promise<void>;
};

export async function startServer(options: ServerOptions): Promise<ApnsServer> {
  const { bundleId, authority, inbox, plans, clock, log } = options;
  const calls: ApnsCall[] = [];
  const sessions = new Map<Http2Session, Session>();
  let opened = 0;
  const nowMs = () => clock.now().getTime();
  const server = createServer({ settings: { maxConcurrentStreams: STREAMS_UNPROVEN } });

  server.on('session', (http2) => {
    opened += 1;
    sessions.set(http2, { number: opened, token: null, tokenSinceMs: 0 });
    http2.on('close', () => sessions.delete(http2));
    http2.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    serve(stream, headers).catch((error: unknown) => {
      log.error({ error: Object(error).name }, 'the APNs simulator failed');
      answer(stream, { status: 500, reason: 'InternalServerError' });
    });
  });

  async function refusalOfToken(authorization: string, http2: Http2Session): Promise<Refusal | undefined> {
    const refusal = await authority.refusalOf(authorization);
    if (refusal) return { status: 403, reason: refusal };
    const session = sessions.get(http2);
    if (!session || session.token === authorization) return undefined;
    const isTooSoon = session.token !== null && nowMs() - session.tokenSinceMs < TOKEN_CHANGES_APART_MS;
    if (isTooSoon) return { status: 429, reason: 'TooManyProviderTokenUpdates' };
    if (session.token === null) http2.settings({ maxConcurrentStreams: STREAMS_PROVEN });
    sessions.set(http2, { ...session, token: authorization, tokenSinceMs: nowMs() });
    return undefined;
  }

  async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const http2 = stream.session;
    const body = await bodyOf(stream);
    if (!http2) return;
    const { authorization = '' } = headers;
    const call: ApnsCall = {
      ...{ id: headers['apns-id']?.toString() ?? null, path: String(headers[':path']), authorization },
      ...{ session: sessions.get(http2)?.number ?? 0, status: null, reason: null },
    };
    calls.push(call);
    if (calls.length > CALLS_KEPT) calls.shift();
    const judged = (await refusalOfToken(authorization, http2)) ?? judge(headers, body, bundleId);
    if ('reason' in judged) return note(call, answer(stream, judged));
    const plan = plans.take(judged.token);
    if (!plan || plan.isDelivered) await inbox.deliver(judged);
    if (plan?.silence) return plan.silence === 'cut' ? http2.destroy() : undefined;
    note(call, plan ? answerByPlan(stream, plan, judged) : answer(stream, { status: 200, reason: null }, judged));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    calls: (): ApnsCall[] => structuredClone(calls),
    connections: () => opened,
    goAway(code = constants.NGHTTP2_NO_ERROR): void {
      for (const http2 of sessions.keys()) http2.goaway(code);
    },
    async close(): Promise<void> {
      for (const http2 of sessions.keys()) http2.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function note(call: ApnsCall, { status, reason }: Answered): void {
  Object.assign(call, { status, reason });
}

type Answered = { status: number; reason: string | null };

function answerByPlan(stream: ServerHttp2Stream, plan: Plan, push: PushRequest): Answered {
  const { status = 200, reason = null, timestamp, retryAfter, text } = plan;
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return answer(stream, { status, reason }, push, { headers, timestamp, text });
}

type Extras = { headers?: Record<string, string>; timestamp?: number | undefined; text?: string | undefined };

function answer(
  stream: ServerHttp2Stream,
  { status, reason }: Answered,
  push?: Pick<PushRequest, 'id'>,
  { headers = {}, timestamp, text }: Extras = {},
): Answered {
  if (stream.destroyed || stream.headersSent) return { status, reason };
  stream.respond({ ':status': status, ...(push && { 'apns-id': push.id }), ...headers });
  stream.end(text ?? (reason === null ? '' : JSON.stringify({ reason, timestamp })));
  return { status, reason };
}

/** Null: it is longer than any payload. */
async function bodyOf(stream: ServerHttp2Stream): Promise<string | null> {
  stream.setEncoding('utf8');
  let text = '';
  for await (const chunk of stream) {
    if (text.length < BODY_CHARACTERS_MAX) text += chunk;
  }
  return text.length < BODY_CHARACTERS_MAX ? text : null;
}
