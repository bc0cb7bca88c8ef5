/**
 * Runs heavy or fragile work in child processes: a new process of low priority for each task, a few in parallel, in order of
 * arrival. A crash, a leak or an endless loop there ends one task and never the server. `child-work.ts` is the child's side.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { asTyped, type FromChild } from './child-work.ts';

export type ChildPoolOptions = {
  /** The module that each child runs; it calls `runTaskFromParent` and imports heavy modules only inside that call. */
  modulePath: string;
  maxParallel: number;
  /** For one task, from the start of its process; time in the waiting line does not count. */
  timeoutMs: number;
  /** The whole environment of a child: it must hold no secrets. */
  env?: Record<string, string>;
  /** The nice value of a child, 0–19: a higher one means a lower priority. */
  niceness?: number;
  /** How long a child may take to exit before it is killed. */
  graceMs?: number;
};

export type ChildTask<Output> = {
  /** The child's output; rejects with a `ChildFailure` or the signal's reason. Settles after the process has ended. */
  result: Promise<Output>;
  /** The place in the waiting line, from 1; null once the task has started. */
  position(): number | null;
};

/** `Input` and `Output` must survive JSON. Progress is the number that the work reports. */
export type ChildPool<Input extends object, Output> = {
  run(input: Input, options?: { signal?: AbortSignal; onProgress?: (value: number) => void }): ChildTask<Output>;
  /** The ids of the running processes. */
  pids(): number[];
  /** Ends all children and rejects the waiting tasks. Resolves when all processes have ended. */
  close(): Promise<void>;
};

/**
 * Why there is no output: `not_started` (the process or its modules could not be loaded, which says nothing about the
 * task), `refused` (the work refused the task, with a `reason`), `crashed`, `timeout`, or `closed` (the pool is closed).
 */
export type ChildFailureKind = 'not_started' | 'refused' | 'crashed' | 'timeout' | 'closed';

/** The message is for the log: it may contain the end of the child's standard error. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
  readonly kind: ChildFailureKind;
  readonly reason: string | null;

  constructor(kind: ChildFailureKind, message: string, reason: string | null = null) {
    super(message);
    this.kind = kind;
    this.reason = reason;
  }
}

type Running = { pid: number | null; output: Promise<unknown>; stop(failure: unknown): void };
type Entry = { start(): void; stop(failure: unknown): void };

const NICENESS = 10;
const GRACE_MS = 500;
/** The end of the standard error, long enough to find the cause of a crash. */
const STDERR_CHARS = 2_000;

export function createChildPool<Input extends object, Output>(options: ChildPoolOptions): ChildPool<Input, Output> {
  const waiting: Entry[] = [];
  const running = new Set<Running>();
  let closed = false;

  const startWaiting = (): void => {
    while (running.size < options.maxParallel) {
      const entry = waiting.shift();
      if (!entry) return;
      entry.start();
    }
  };

  const run: ChildPool<Input, Output>['run'] = (input, { signal, onProgress = () => {} } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Output>();
    const entry: Entry = {
      start: () => {
        const child = startChild(options, input, onProgress);
        running.add(child);
        entry.stop = child.stop;
        child.output
          .then((output) => resolve(asTyped(output)), reject)
          .finally(() => {
            running.delete(child);
            startWaiting();
          });
      },
      stop: (failure) => {
        if (waiting.includes(entry)) waiting.splice(waiting.indexOf(entry), 1);
        reject(failure);
      },
    };
    const onAbort = (): void => entry.stop(signal?.reason);
    if (closed) entry.stop(new ChildFailure('closed', 'the pool is closed'));
    else if (signal?.aborted) onAbort();
    else {
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(entry);
      startWaiting();
    }
    const result = promise.finally(() => signal?.removeEventListener('abort', onAbort));
    return { result, position: () => waiting.indexOf(entry) + 1 || null };
  };

  const close = async (): Promise<void> => {
    closed = true;
    const failure = new ChildFailure('closed', 'the pool was closed');
    for (const entry of [...waiting]) entry.stop(failure);
    for (const child of running) child.stop(failure);
    await Promise.allSettled([...running].map((child) => child.output));
  };

  return { run, close, pids: () => [...running].flatMap((child) => child.pid ?? []) };
}

/** Starts one process for one task. After the child's last message the channel is closed; a child that stays is killed. */
function startChild(options: ChildPoolOptions, input: object, onProgress: (value: number) => void): Running {
  let child: ChildProcess;
  try {
    child = fork(options.modulePath, {
      env: options.env ?? {},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  } catch (error) {
    const failure = new ChildFailure('not_started', `no process: ${String(error)}`);
    return { pid: null, output: Promise.reject(failure), stop: () => {} };
  }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  let settle: (() => void) | null = null;
  let ready = false;
  let stderr = '';
  let force: NodeJS.Timeout | undefined;

  const finish = (how: () => void): void => {
    settle ??= how;
    if (child.connected) child.disconnect();
    force ??= setTimeout(() => child.kill('SIGKILL'), options.graceMs ?? GRACE_MS);
  };
  const stop = (failure: unknown): void => finish(() => reject(failure));
  const timeout = setTimeout(
    () => stop(new ChildFailure('timeout', `no answer within ${options.timeoutMs} ms`)),
    options.timeoutMs,
  );

  child.on('message', (message: FromChild) => {
    if (message.type === 'ready') ready = true;
    else if (message.type === 'progress') onProgress(message.value);
    else if (message.type === 'done') finish(() => resolve(message.output));
    else if (message.type === 'refused') stop(new ChildFailure('refused', message.reason, message.reason));
    else stop(new ChildFailure(message.stage === 'load' ? 'not_started' : 'crashed', message.message));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS);
  });
  const ended = (how: string): void => {
    clearTimeout(timeout);
    clearTimeout(force);
    settle ??= () => reject(new ChildFailure(ready ? 'crashed' : 'not_started', `${how} ${stderr}`.trim()));
    settle();
  };
  child.on('error', (error) => child.pid === undefined && ended(`no process: ${error.message}`));
  // Not 'close', which is never emitted once the parent has closed the channel.
  child.on('exit', (code, signal) => {
    const how = `ended by ${signal ?? `exit code ${code}`}`;
    if (child.stderr?.closed) ended(how);
    else child.stderr?.once('close', () => ended(how));
  });
  if (child.pid !== undefined) {
    lowerPriority(child.pid, options.niceness ?? NICENESS);
    // A send error is ignored: the child's messages, or its exit, show whether the task arrived.
    child.send(input, () => {});
  }
  return { pid: child.pid ?? null, output: promise, stop };
}

function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // The child has ended, or the system forbids the change: the task may slow down other processes, but still runs.
  }
}
