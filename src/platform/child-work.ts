/** The child's side of a `ChildPool`: receives one task, sends its output, and exits when the parent closes the channel. */
import { collectAll, collectYoung } from './garbage-collection.ts';
import { TaskRefusal } from './task-refusal.ts';

export { TaskRefusal } from './task-refusal.ts';

/** The work that a child does; `report` sends a progress number to the parent. */
export type ChildWork<Input, Output> = (input: Input, report: (value: number) => void) => Promise<Output>;

export type FromChild =
  | { type: 'ready' }
  | { type: 'progress'; value: number }
  | { type: 'done'; output?: unknown }
  | { type: 'refused'; reason: string }
  | { type: 'broken'; stage: 'load' | 'work'; message: string };

/** In this time a dozen closed 1080p frames accumulate. Most are young objects, which cost almost nothing to collect. */
const COLLECT_MS = 50;
/** Every 20th collection includes old objects: it takes some milliseconds. */
const FULL_EVERY = 20;

/**
 * Called once by a child's module: loads the work, runs one task, sends its output, and waits until the parent closes the
 * channel. Signals to the whole process group (Ctrl-C) are ignored: only the parent, or its exit, ends this process.
 */
export function runTaskFromParent<Input, Output>(load: () => Promise<ChildWork<Input, Output>>): void {
  process.on('disconnect', () => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  if (!process.connected) process.exit(0);
  const send = (message: FromChild): void => {
    if (process.connected) process.send?.(message);
  };
  process.once('message', async (input) => {
    let stage: 'load' | 'work' = 'load';
    try {
      const work = await load();
      stage = 'work';
      send({ type: 'ready' });
      collectRegularly();
      send({ type: 'done', output: await work(asTyped(input), (value) => send({ type: 'progress', value })) });
    } catch (error) {
      if (error instanceof TaskRefusal) send({ type: 'refused', reason: error.reason });
      else send({ type: 'broken', stage, message: String(error instanceof Error ? error.stack : error) });
    }
  });
}

/**
 * A closed video frame keeps its pixels until the small object around it is collected. V8 does not count the pixels, so
 * without these calls hundreds of megabytes would accumulate.
 */
function collectRegularly(): void {
  let count = 0;
  setInterval(() => {
    count += 1;
    if (count % FULL_EVERY === 0) collectAll();
    else collectYoung();
  }, COLLECT_MS).unref();
}

/** The other side of the channel is our own module, which we started: its messages have the types that both sides import. */
export function asTyped<T>(message: unknown): T {
  return message as T;
}
