/** One kept connection to a host: opened with its first request, and again after its end. */
import type { Log } from '../../kernel/log.ts';
import { NoReply, NotTaken, type Reply, type Timing } from './reply.ts';
import { type KeptSession, openSession } from './session.ts';
import { exchange, type Request } from './stream.ts';

export type Connection = {
  /** Throws `NoReply` where there is no answer. */
  post(request: Request, signal: AbortSignal): Promise<Reply>;
  /** The next request uses a new connection. */
  renew(): void;
  close(): void;
};

/** Apple answers within a second. A connection may rest for half an hour; its pings keep it known to the networks on the way. */
const TIMING: Timing = { connectMs: 10_000, replyMs: 10_000, pingEveryMs: 60_000, restMaxMs: 30 * 60_000 };
/** Connections in a row that may end under a request before it has left. */
const TRIES_MAX = 3;

export type ConnectionOptions = { origin: string; log: Log; timing?: Partial<Timing> | undefined };

export function createConnection({ origin, log, timing: given }: ConnectionOptions): Connection {
  const timing = { ...TIMING, ...given };
  let current: KeptSession | undefined;
  let opening: Promise<KeptSession> | undefined;
  let isClosed = false;

  async function open(): Promise<KeptSession> {
    try {
      const session = await openSession(origin, timing);
      log.debug({ origin }, 'connected to the push service');
      current = session;
      if (isClosed) session.destroy();
      return session;
    } finally {
      opening = undefined;
    }
  }
  /** Requests that come while a connection is being opened share it. */
  function session(): Promise<KeptSession> {
    if (isClosed) return Promise.reject(new NoReply('closed'));
    if (current?.isUsable) return Promise.resolve(current);
    opening ??= open();
    return opening;
  }

  async function tryOnce(request: Request, signal: AbortSignal): Promise<Reply> {
    const kept = await unlessAborted(session(), signal);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timing.replyMs)]);
    try {
      return await kept.run((http2) => exchange(http2, request, limit));
    } catch (error) {
      if (signal.aborted) throw error;
      // It ends, or may be dead: the others on it are given their time, and the next ones another connection.
      kept.retire();
      throw limit.aborted ? new NoReply('ETIMEDOUT') : error;
    }
  }

  return {
    async post(request, signal) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await tryOnce(request, signal);
        } catch (error) {
          if (!(error instanceof NotTaken) || tries === TRIES_MAX) throw error;
        }
      }
    },
    renew: () => current?.retire(),
    close() {
      isClosed = true;
      current?.destroy();
    },
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new NoReply('aborted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    // Also after an abort: a failure that nothing listens to would end the process.
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
