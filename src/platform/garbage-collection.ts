import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;

/**
 * Frees the buffers that were dropped a moment ago, in about a millisecond. V8 counts the small objects in front of them and
 * not the megabytes behind, and would let hundreds of those pile up under a fast stream.
 */
export function collectYoung(): void {
  collect ??= findCollect();
  collect({ type: 'minor' });
}

/** Frees what has been dropped since it grew old, too: some milliseconds. */
export function collectAll(): void {
  collect ??= findCollect();
  collect({ type: 'major' });
}

function findCollect(): Collect {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as Collect;
  } catch {
    // A runtime without this door collects as it sees fit.
    return () => {};
  }
}
