/** Hears PostgreSQL's notifications on a connection of its own, and comes back by itself when it is lost. */
import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { restrictedConnection } from './pool.ts';

const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5_000;

export type Listener = {
  /** Payloads of the channel; `null` after a reconnect, when some may have been missed. Returns how to stop. */
  subscribe(handler: (payload: string | null) => void): () => void;
  close(): Promise<void>;
};

export type ListenOptions = { url: string; channel: string; log: Log };

/** Listens on `channel` over the unpooled `url`. Resolves once the first connection hears. */
export async function listen({ url, channel, log }: ListenOptions): Promise<Listener> {
  const handlers = new Set<(payload: string | null) => void>();
  const tell = (payload: string | null) => {
    for (const handler of handlers) handler(payload);
  };
  let client: pg.Client | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let connecting: Promise<void> = Promise.resolve();

  async function connect(): Promise<void> {
    const next = new pg.Client(restrictedConnection(url, 'rendio-listen'));
    next.on('error', (error) => log.warn({ code: errorLabel(error) }, 'the listening connection failed'));
    next.on('notification', (message) => tell(message.payload ?? ''));
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    if (closed) return next.end();
    next.on('end', () => {
      if (client === next) client = null;
      if (!closed) reconnect(RECONNECT_MIN_MS);
    });
    client = next;
  }

  function reconnect(waitMs: number): void {
    timer = setTimeout(() => {
      connecting = connect().then(
        () => tell(null),
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

/**
 * The same, connected only while somebody listens: for processes that come and go by the dozen. A new subscriber hears
 * `null` once the connection stands, since it cannot know what was said before.
 */
export function listenOnDemand(options: ListenOptions): Listener {
  const handlers = new Set<(payload: string | null) => void>();
  let opening: Promise<Listener> | null = null;
  let timer: NodeJS.Timeout | undefined;

  function open(waitMs: number): void {
    const mine = listen(options);
    opening = mine;
    mine.then(
      (listener) => {
        const tell = (payload: string | null) => {
          for (const handler of handlers) handler(payload);
        };
        listener.subscribe(tell);
        tell(null);
      },
      () => {
        if (opening !== mine) return;
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
