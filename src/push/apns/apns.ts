/** Apple Push Notification service, with token authentication. Node only: it keeps HTTP/2 connections. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Push, PushEnvironment, PushResult, PushService } from '../port.ts';
import { type Connection, createConnection } from './connection.ts';
import { isRenewable, isShutdown, outcomeOf } from './outcome.ts';
import { type ApnsKey, createProviderToken } from './provider-token.ts';
import { NoReply, type Reply, type Timing } from './reply.ts';

/** `urls`: where tokens of each environment are known, without a slash at the end. `bundleId`: the app. */
export type ApnsAccess = { key: ApnsKey; bundleId: string; urls: Record<PushEnvironment, string> };
export type ApnsOptions = ApnsAccess & { clock: Clock; log: Log; timing?: Partial<Timing> | undefined };

export function createApns({ key, bundleId, urls, clock, log, timing }: ApnsOptions): PushService {
  const providerToken = createProviderToken(key, clock);
  const connections = new Map<string, Connection>();

  function connectionTo(origin: string): Connection {
    const known = connections.get(origin);
    if (known) return known;
    const opened = createConnection({ origin, log, timing });
    connections.set(origin, opened);
    return opened;
  }

  async function post(push: Push, token: string, signal: AbortSignal): Promise<Reply> {
    const { origin, pathname } = new URL(urls[push.environment]);
    const path = `${pathname.replace(/\/+$/, '')}/3/device/${push.token}`;
    const connection = connectionTo(origin);
    const reply = await connection.post(
      { path, headers: headersOf(push, token, bundleId), body: bodyOf(push) },
      signal,
    );
    if (isShutdown(reply)) connection.renew();
    return reply;
  }

  async function exchange(push: Push, signal: AbortSignal): Promise<PushResult> {
    const token = await providerToken.current();
    let reply = await post(push, token, signal);
    if (isRenewable(reply) && (await providerToken.renew(token))) {
      reply = await post(push, await providerToken.current(), signal);
    }
    return outcomeOf(reply, clock);
  }

  return {
    async send(push, signal) {
      try {
        return await exchange(push, signal);
      } catch (error) {
        const reason = error instanceof NoReply ? error.code : 'INTERNAL';
        if (!(error instanceof NoReply)) log.error({ error: Object(error).name }, 'a push could not be made');
        return { outcome: 'retry', reason: `no answer: ${reason}`, retryAfterMs: null };
      }
    },
    async close() {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}

/** People see it at once (priority 10). With the same id and collapse id, a repeat replaces it. */
function headersOf(push: Push, token: string, bundleId: string): Record<string, string> {
  return {
    authorization: `bearer ${token}`,
    'content-type': 'application/json',
    'apns-id': push.id,
    'apns-topic': bundleId,
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String(Math.floor(push.expiresAt.getTime() / 1000)),
    'apns-collapse-id': push.collapseId,
  };
}

function bodyOf({ title, body, data, threadId }: Push): string {
  return JSON.stringify({ ...data, aps: { alert: { title, body }, sound: 'default', 'thread-id': threadId } });
}
