import { setTimeout as delay } from 'node:timers/promises';

/** Soon at first, then ever more rarely: while a film is made, looking takes the processor that makes it. */
const PAUSE_MIN_MS = 25;
const PAUSE_MAX_MS = 150;

/** Looks again and again until what it sees is as wished; fails with the last sight past the limit. */
export async function until<Sight>(
  look: () => Promise<Sight>,
  isSo: (sight: Sight) => boolean,
  wish: string,
  limitMs = 45_000,
): Promise<Sight> {
  const end = performance.now() + limitMs;
  for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 1.3)) {
    const sight = await look();
    if (isSo(sight)) return sight;
    if (performance.now() > end) throw new Error(`no ${wish} within ${limitMs} ms: ${JSON.stringify(sight)}`);
    await delay(pauseMs);
  }
}
