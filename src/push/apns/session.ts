/** An HTTP/2 session that is used until its host ends it, falls silent, or it rests for too long. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { errorLabel } from '../../kernel/error-code.ts';
import { NoReply, type Timing } from './reply.ts';

export type KeptSession = {
  /** False: it takes no more requests. Those that are on their way may still be answered. */
  readonly isUsable: boolean;
  run<T>(work: (session: ClientHttp2Session) => Promise<T>): Promise<T>;
  /** Takes no more requests, and ends once the present ones are answered, or late. */
  retire(): void;
  destroy(): void;
};

/**
 * Resolves once the host has said how many streams it allows: Apple one, until it has accepted a token. From then on Node itself keeps
 * requests back that would be more. Throws `NoReply`.
 */
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
  let isUsable = true;
  let running = 0;
  let usedAt = performance.now();

  function retire(): void {
    if (!isUsable) return;
    isUsable = false;
    clearInterval(timer);
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
    if (session.destroyed || (running === 0 && performance.now() - usedAt > restMaxMs)) retire();
    else ping();
  }, pingEveryMs).unref();
  for (const event of ['goaway', 'frameError', 'error', 'close']) session.on(event, retire);
  if (session.closed || session.destroyed) retire();

  return {
    get isUsable() {
      return isUsable;
    },
    async run(work) {
      running += 1;
      try {
        return await work(session);
      } finally {
        running -= 1;
        usedAt = performance.now();
      }
    },
    retire,
    destroy,
  };
}
