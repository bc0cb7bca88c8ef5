/** Whether a Node process has room for more work: in its memory, and in its event loop. */
import { totalmem } from 'node:os';
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import type { Overload } from '../kernel/overload.ts';

const SAMPLE_MS = 250;
/** New work would wait at least this long for its first turn. */
const LATE_MS = 2_000;
/** Once may be a garbage collection, or a machine that slept. */
const LATE_SAMPLES = 2;
/** V8 ends the process at its limit, and the system at that of the container. */
const MEMORY_SHARE_MAX = 0.9;
/** Garbage counts as used until it is collected, which happens often near the limit: what lasts a second is no garbage. */
const FULL_SAMPLES = 4;

export type ProcessLoad = { readonly overload: Exclude<Overload, 'database'> | null; stop(): void };

/** Measures this process until `stop`. */
export function measureProcessLoad(): ProcessLoad {
  const judge = createJudge();
  let overload: ProcessLoad['overload'] = null;
  let lastAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    overload = judge({ lateMs: now - lastAt - SAMPLE_MS, memoryShare: memoryShare() });
    lastAt = now;
  }, SAMPLE_MS);
  timer.unref();
  return {
    get overload() {
      return overload;
    },
    stop: () => clearInterval(timer),
  };
}

export type Sample = { lateMs: number; memoryShare: number };

/** Returns what there is too much work for, after each further sample. */
export function createJudge(): (sample: Sample) => ProcessLoad['overload'] {
  let [late, full] = [0, 0];
  return ({ lateMs, memoryShare: share }) => {
    late = lateMs >= LATE_MS ? late + 1 : 0;
    full = share >= MEMORY_SHARE_MAX ? full + 1 : 0;
    if (full >= FULL_SAMPLES) return 'memory';
    return late >= LATE_SAMPLES ? 'event loop' : null;
  };
}

/** How much is used of the heap, or of what the container allows this process, whichever is nearer to its limit. */
function memoryShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const allowed = process.constrainedMemory();
  const isConstrained = allowed > 0 && allowed < totalmem();
  return Math.max(used / limit, isConstrained ? process.memoryUsage.rss() / allowed : 0);
}
