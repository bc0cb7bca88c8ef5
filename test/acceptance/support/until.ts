import { setTimeout as delay } from 'node:timers/promises';

/** Short at first, then longer: each poll takes CPU time from the making of the video. */
const POLL_MIN_MS = 25;
const POLL_MAX_MS = 150;

/** Polls until the state meets the condition; after the limit it fails with the last state. */
export async function until<State>(
  read: () => Promise<State>,
  isDone: (state: State) => boolean,
  what: string,
  limitMs = 90_000,
): Promise<State> {
  const end = performance.now() + limitMs;
  for (let waitMs = POLL_MIN_MS; ; waitMs = Math.min(POLL_MAX_MS, waitMs * 1.3)) {
    const state = await read();
    if (isDone(state)) return state;
    if (performance.now() > end) throw new Error(`no ${what} within ${limitMs} ms: ${JSON.stringify(state)}`);
    await delay(waitMs);
  }
}
