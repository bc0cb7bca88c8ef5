import type { Context } from '../../../src/features/context.ts';
import type { VideoProvider } from '../../../src/providers/provider.ts';

/** Wraps one step of a worker; `number` counts from 1. */
export type Around = <T>(step: { number: number; name: string }, run: () => Promise<T>) => Promise<T>;

/** A context that wraps each side effect of a generation's tasks, in their order. */
export function aroundSteps(ctx: Context, around: Around): Context {
  let count = 0;
  const step = <T>(name: string, run: () => Promise<T>): Promise<T> => {
    count += 1;
    return around({ number: count, name }, run);
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

/** A worker that is killed at a step, before or after its effect; it does nothing more after that. */
export function workerKilledAt(ctx: Context, killedAt: number, isDone: boolean): { ctx: Context; signal: AbortSignal } {
  const killed = new AbortController();
  const around: Around = async ({ number }, run) => {
    killed.signal.throwIfAborted();
    if (number !== killedAt) return run();
    if (isDone) await run().catch(() => {});
    killed.abort(new Error('killed'));
    throw killed.signal.reason;
  };
  return { ctx: aroundSteps(ctx, around), signal: killed.signal };
}
