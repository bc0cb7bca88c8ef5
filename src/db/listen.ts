/** Receives PostgreSQL's notifications on a connection of its own, and reconnects when it is lost. */
import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { DatabaseClient, restrictedSession, type TimedStatement } from './session.ts';

const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5_000;
/** A network that drops a quiet connection ends nothing on this side. */
const HEARTBEAT_MS = 10_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;

export type Listener = {
  /** Passes on payloads of the channel; `null` after a reconnect, when some may have been missed. Returns the unsubscribe. */
  subscribe(handler: (payload: string | null) => void): () => void;
  close(): Promise<void>;
};

export type ListenOptions = { url: string; channel: string; log: Log; heartbeatMs?: number; answerTimeoutMs?: number };

/** Listens on `channel` over the unpooled `url`. Resolves once the first connection is listening. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { url, channel, log, heartbeatMs = HEARTBEAT_MS, answerTimeoutMs = HEARTBEAT_TIMEOUT_MS } = options;
  const handlers = new Set<(payload: string | null) => void>();
  const notify = (payload: string | null) => {
    for (const handler of handlers) handler(payload);
  };
  const session = restrictedSession(url, 'rendio-listen');
  const warn = () => log.warn({ channel }, 'a listening connection brought nothing more and is replaced');
  let client: DatabaseClient | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let connecting: Promise<void> = Promise.resolve();

  async function connect(): Promise<void> {
    const next = new DatabaseClient(session);
    next.on('error', (error) => log.warn({ code: errorLabel(error) }, 'listen connection failed'));
    next.on('notification', (message) => notify(message.payload ?? ''));
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    if (closed) return next.end();
    const check = () => endIfDeaf(next, channel, answerTimeoutMs).then((isDeaf) => isDeaf && !closed && warn());
    const heartbeat = setInterval(check, heartbeatMs);
    next.on('end', () => {
      clearInterval(heartbeat);
      if (client === next) client = null;
      if (!closed) reconnect(RECONNECT_MIN_MS);
    });
    client = next;
  }

  function reconnect(waitMs: number): void {
    timer = setTimeout(() => {
      connecting = connect().then(
        () => notify(null),
        () => {
          if (!closed) reconnect(Math.min(waitMs * 2, RECONNECT_MAX_MS));
        },
      );
    }, waitMs);
  }

  await connect();
  return {
    subscribe(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
      await connecting;
    },
  };
}

/** Ends a connection that brings no answer, or that no longer listens: a pooler may have swapped its session. */
async function endIfDeaf(client: DatabaseClient, channel: string, answerTimeoutMs: number): Promise<boolean> {
  const text = 'select from pg_listening_channels() as channel where channel = $1';
  const question: TimedStatement = { text, values: [channel], query_timeout: answerTimeoutMs };
  const isListening = await client.query(question).then(
    ({ rowCount }) => rowCount === 1,
    () => false,
  );
  if (!isListening) client.connection.stream.destroy();
  return !isListening;
}

/**
 * The same, connected only while it has subscribers: for short-lived processes, of which there may be dozens. A new subscriber
 * receives `null` once the connection is open, because it may have missed earlier notifications.
 */
export function listenOnDemand(options: ListenOptions): Listener {
  const handlers = new Set<(payload: string | null) => void>();
  let opening: Promise<Listener> | null = null;
  let timer: NodeJS.Timeout | undefined;

  function open(waitMs: number): void {
    const current = listen(options);
    opening = current;
    current.then(
      (listener) => {
        const notify = (payload: string | null) => {
          for (const handler of handlers) handler(payload);
        };
        listener.subscribe(notify);
        notify(null);
      },
      () => {
        if (opening !== current) return;
        timer = setTimeout(() => open(Math.min(waitMs * 2, RECONNECT_MAX_MS)), waitMs);
      },
    );
  }
  async function close(): Promise<void> {
    clearTimeout(timer);
    const last = opening;
    opening = null;
    const listener = await last?.catch(() => null);
    await listener?.close();
  }
  return {
    subscribe(handler) {
      handlers.add(handler);
      if (opening === null) open(RECONNECT_MIN_MS);
      else opening.then(() => handlers.has(handler) && handler(null)).catch(() => {});
      return () => {
        handlers.delete(handler);
        if (handlers.size === 0) void close();
      };
    },
    close,
  };
}
