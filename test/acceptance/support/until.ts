import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;

/** Looks again and again until what it sees is as wished; fails with the last sight past the limit. */
export async function until<Sight>(
  look: () => Promise<Sight>,
  isSo: (sight: Sight) => boolean,
  wish: string,
  limitMs = 45_000,
): Promise<Sight> {
  const end = performance.now() + limitMs;
  for (;;) {
    const sight = await look();
    if (isSo(sight)) return sight;
    if (performance.now() > end) throw new Error(`no ${wish} within ${limitMs} ms: ${JSON.stringify(sight)}`);
    await delay(LOOK_EVERY_MS);
  }
}
