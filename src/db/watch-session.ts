/** Watches a session whose statements may take long, so that they have no time limit of their own. */
import { sleep } from '../kernel/sleep.ts';
import { isSilence } from './outage.ts';
import { DatabaseClient, ownerSession } from './session.ts';

const CHECK_EVERY_MS = 5_000;
const ANSWER_TIMEOUT_MS = 5_000;

export type WatchTimes = { checkEveryMs: number; answerTimeoutMs: number };
export type SessionWatch = { stop(): Promise<void> };

/** Ends the session when a second one, at the same URL, gets no answer: the running statement then fails. */
export function watchSession(session: DatabaseClient, url: string, times: Partial<WatchTimes> = {}): SessionWatch {
  const { checkEveryMs = CHECK_EVERY_MS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = times;
  const stopping = new AbortController();
  let observer: DatabaseClient | null = null;

  async function check(): Promise<void> {
    try {
      if (!observer) {
        observer = new DatabaseClient(ownerSession(url, 'rendio-watch', answerTimeoutMs));
        await observer.connect();
      }
      await observer.query('select');
    } catch (error) {
      void observer?.end().catch(() => {});
      observer = null;
      // Any other failure also reaches the session itself, or does not concern it.
      if (isSilence(error)) session.connection.stream.destroy();
    }
  }
  async function watch(): Promise<void> {
    for (;;) {
      await sleep(checkEveryMs, stopping.signal);
      if (stopping.signal.aborted) break;
      await check();
    }
    void observer?.end().catch(() => {});
  }
  const watching = watch();
  return {
    stop() {
      stopping.abort();
      return watching;
    },
  };
}
