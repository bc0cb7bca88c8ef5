import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;

/**
 * Frees recently dropped buffers, in about a millisecond. V8 counts the small JavaScript objects and not the megabytes
 * behind them, and would let hundreds of megabytes accumulate under a fast stream.
 */
export function collectYoung(): void {
  collect ??= findCollect();
  collect({ type: 'minor' });
}

/** Frees dropped old objects too, in some milliseconds. */
export function collectAll(): void {
  collect ??= findCollect();
  collect({ type: 'major' });
}

function findCollect(): Collect {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as Collect;
  } catch {
    // A runtime without this function collects on its own schedule.
    return () => {};
  }
}
