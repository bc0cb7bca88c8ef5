/** An HTTP/2 session that is used until its host ends it, falls silent, or it rests for too long. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { errorLabel } from '../../kernel/error-code.ts';
import { NoReply, NotTaken, type Timing } from './reply.ts';

export type KeptSession = {
  /** False: it takes no more requests. Those that are on their way may still be answered. */
  readonly isUsable: boolean;
  /** Waits for a free stream. Throws `NotTaken` if the session ends before there is one, `NoReply` if the signal aborts. */
  run<T>(work: (session: ClientHttp2Session) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Takes no more requests, and ends once the present ones are answered, or late. */
  retire(): void;
  destroy(): void;
};

/** Of a worker's tasks, fewer run at a time. Apple allows one stream until it has accepted a token, then a thousand. */
const STREAMS_MAX = 100;

/** Resolves once the host has said how many streams it allows. Throws `NoReply`. */
export async function openSession(origin: string, timing: Timing): Promise<KeptSession> {
  const session = connect(origin);
  await ready(session, timing.connectMs);
  return keep(session, timing);
}

function ready(session: ClientHttp2Session, connectMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (code: string) => {
      clearTimeout(timer);
      session.destroy();
      reject(new NoReply(code));
    };
    const timer = setTimeout(() => fail('ETIMEDOUT'), connectMs);
    const end = () => fail('closed');
    // Stays: an error without a listener would end the process.
    session.on('error', (error) => fail(errorLabel(error)));
    session.once('close', end);
    session.once('remoteSettings', () => {
      clearTimeout(timer);
      session.off('close', end);
      resolve();
    });
  });
}

function keep(session: ClientHttp2Session, { replyMs, pingEveryMs, restMaxMs }: Timing): KeptSession {
  const line = createLine(() => Math.min(STREAMS_MAX, session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX));
  let isUsable = true;
  let usedAt = performance.now();

  function retire(): void {
    if (!isUsable) return;
    isUsable = false;
    clearInterval(timer);
    line.close();
    if (session.destroyed) return;
    session.close();
    const late = setTimeout(() => session.destroy(), replyMs);
    session.once('close', () => clearTimeout(late));
  }
  function destroy(): void {
    retire();
    session.destroy();
  }
  /** A network that has forgotten the connection says nothing: only a missing answer shows it. */
  function ping(): void {
    const late = setTimeout(destroy, replyMs);
    session.ping((error) => {
      clearTimeout(late);
      if (error) destroy();
    });
  }
  const timer = setInterval(() => {
    if (line.isIdle && performance.now() - usedAt > restMaxMs) retire();
    else ping();
  }, pingEveryMs).unref();
  for (const event of ['goaway', 'frameError', 'error', 'close']) session.on(event, retire);
  session.on('remoteSettings', line.advance);
  if (session.closed || session.destroyed) retire();

  return {
    get isUsable() {
      return isUsable;
    },
    async run(work, signal) {
      await line.enter(signal);
      try {
        return await work(session);
      } finally {
        usedAt = performance.now();
        line.leave();
      }
    },
    retire,
    destroy,
  };
}

type Waiting = { start(): void; stop(error: Error): void };

/** Requests wait here for a stream, in their order. `limit` may change while they wait: then `advance`. */
function createLine(limit: () => number) {
  const waiting = new Set<Waiting>();
  let running = 0;
  let isOpen = true;

  function advance(): void {
    for (const next of waiting) {
      if (running >= limit()) return;
      next.start();
    }
  }

  return {
    get isIdle() {
      return running === 0 && waiting.size === 0;
    },
    advance,
    enter(signal: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        const abort = () => next.stop(new NoReply('aborted'));
        const leaveLine = () => {
          waiting.delete(next);
          signal.removeEventListener('abort', abort);
        };
        const next: Waiting = {
          start() {
            leaveLine();
            running += 1;
            resolve();
          },
          stop(error) {
            leaveLine();
            reject(error);
          },
        };
        if (!isOpen) return reject(new NotTaken('closed'));
        if (signal.aborted) return abort();
        waiting.add(next);
        signal.addEventListener('abort', abort, { once: true });
        advance();
      });
    },
    leave(): void {
      running -= 1;
      if (isOpen) advance();
    },
    close(): void {
      isOpen = false;
      for (const next of waiting) next.stop(new NotTaken('closed'));
    },
  };
}
