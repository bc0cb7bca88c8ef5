import type { Context } from '../../../src/features/context.ts';
import type { VideoProvider } from '../../../src/providers/provider.ts';

/** Goes around one step of a worker; `number` counts from 1. */
export type Around = <T>(step: { number: number; name: string }, take: () => Promise<T>) => Promise<T>;

/** The context with something done around each thing that a generation's tasks do to the world, in their order. */
export function aroundSteps(ctx: Context, around: Around): Context {
  let count = 0;
  const step = <T>(name: string, take: () => Promise<T>): Promise<T> => {
    count += 1;
    return around({ number: count, name }, take);
  };
  const wrap = (provider: VideoProvider): VideoProvider => ({
    ...provider,
    submit: (request, signal) => step('submit', () => provider.submit(request, signal)),
    status: (request, id, signal) => step('status', () => provider.status(request, id, signal)),
    cancel: (request, id, signal) => step('cancel', () => provider.cancel(request, id, signal)),
    release: (jobId) => step('release', () => provider.release(jobId)),
    close: () => provider.close(),
  });
  return {
    ...ctx,
    db: { ...ctx.db, call: (procedure, args) => step(procedure, () => ctx.db.call(procedure, args)) },
    media: {
      ...ctx.media,
      putFile: (key, path, signal) => step(`put ${bucketOf(key)}`, () => ctx.media.putFile(key, path, signal)),
      remove: (key) => step(`remove ${bucketOf(key)}`, () => ctx.media.remove(key)),
    },
    probe: {
      probe: (path, options, signal) => step('probe', () => ctx.probe.probe(path, options, signal)),
      close: () => ctx.probe.close(),
    },
    providers: new Map([...ctx.providers].map(([name, provider]) => [name, wrap(provider)])),
  };
}

const bucketOf = (key: string): string => key.slice(0, key.indexOf('/'));

/** A worker that dies at a step, done or not: from then on it does nothing any more. */
export function mortal(ctx: Context, diesAt: number, isDone: boolean): { ctx: Context; signal: AbortSignal } {
  const death = new AbortController();
  const around: Around = async ({ number }, take) => {
    death.signal.throwIfAborted();
    if (number !== diesAt) return take();
    if (isDone) await take().catch(() => {});
    death.abort(new Error('killed'));
    throw death.signal.reason;
  };
  return { ctx: aroundSteps(ctx, around), signal: death.signal };
}
