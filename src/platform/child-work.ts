/** The child's end of a `ChildPool`: takes one task, answers it, and goes when it is let go. */
import { collectAll, collectYoung } from './garbage-collection.ts';
import { TaskRefusal } from './task-refusal.ts';

export { TaskRefusal } from './task-refusal.ts';

/** What a child can do; `report` sends a progress number to the parent. */
export type ChildWork<Input, Output> = (input: Input, report: (value: number) => void) => Promise<Output>;

export type FromChild =
  | { type: 'ready' }
  | { type: 'progress'; value: number }
  | { type: 'done'; output?: unknown }
  | { type: 'refused'; reason: string }
  | { type: 'broken'; stage: 'load' | 'work'; message: string };

/** In this time a dozen closed frames of 1080p pile up. Most are young, and collecting those costs next to nothing. */
const COLLECT_MS = 50;
/** One in so many collections is of the old ones too: it takes some milliseconds. */
const FULL_EVERY = 20;

/**
 * Called once by a child's module: loads the work, does the one task, answers, and waits to be let go. The parent alone
 * ends it: signals meant for the whole group (Ctrl-C) are ignored, and the process exits when its parent is gone.
 */
export function answerParent<Input, Output>(load: () => Promise<ChildWork<Input, Output>>): void {
  process.on('disconnect', () => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  if (!process.connected) process.exit(0);
  const tell = (message: FromChild): void => {
    if (process.connected) process.send?.(message);
  };
  process.once('message', async (input) => {
    let stage: 'load' | 'work' = 'load';
    try {
      const work = await load();
      stage = 'work';
      tell({ type: 'ready' });
      collectRegularly();
      tell({ type: 'done', output: await work(asTyped(input), (value) => tell({ type: 'progress', value })) });
    } catch (error) {
      if (error instanceof TaskRefusal) tell({ type: 'refused', reason: error.reason });
      else tell({ type: 'broken', stage, message: String(error instanceof Error ? error.stack : error) });
    }
  });
}

/**
 * A closed video frame keeps its pixels until the small object around it is collected, and V8, which cannot see the pixels,
 * sees no reason to for hundreds of megabytes. So it is told to.
 */
function collectRegularly(): void {
  let count = 0;
  setInterval(() => {
    count += 1;
    if (count % FULL_EVERY === 0) collectAll();
    else collectYoung();
  }, COLLECT_MS).unref();
}

/** The other end of the channel is our own module, started by us: its messages have the types that both ends import. */
export function asTyped<T>(message: unknown): T {
  return message as T;
}
