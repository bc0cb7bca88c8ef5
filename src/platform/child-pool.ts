/**
 * Runs heavy or fragile work in child processes: a new process of low priority for each task, a few in parallel, in order of
 * arrival. A crash, a leak or an endless loop there ends one task and never the server. `child-work.ts` is the child's side.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { asTyped, type FromChild } from './child-work.ts';
import { processorMsOf } from './processor-time.ts';

export type ChildPoolOptions = {
  /** The module that each child runs; it calls `runTaskFromParent` and imports heavy modules only inside that call. */
  modulePath: string;
  maxParallel: number;
  /** For one task, from the start of its process; time in the waiting line does not count. */
  timeoutMs: number;
  /** The processor time of one task, checked once a second. A busy machine uses up `timeoutMs`, and only a task uses up this. */
  processorMsMax?: number;
  /** Sees each line of a child's standard output; a reason in return refuses the task, even if the work has found nothing wrong. */
  refuseOn?: (line: string) => string | null;
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
 * Why there is no output: `not_started` (the process or its modules could not be loaded) and `timeout` say nothing about the
 * task; `refused` (the work refused the task, with a `reason`), `crashed` and `exhausted` (its processor time) do. `closed`: the
 * pool is closed.
 */
export type ChildFailureKind = 'not_started' | 'refused' | 'crashed' | 'timeout' | 'exhausted' | 'closed';

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
const PROCESSOR_CHECK_MS = 1_000;
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
      stdio: ['ignore', options.refuseOn ? 'pipe' : 'ignore', 'pipe', 'ipc'],
    });
  } catch (error) {
    const failure = new ChildFailure('not_started', `no process: ${String(error)}`);
    return { pid: null, output: Promise.reject(failure), stop: () => {} };
  }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  let settle: (() => void) | null = null;
  let ready = false;
  let force: NodeJS.Timeout | undefined;

  const finish = (how: () => void): void => {
    settle ??= how;
    if (child.connected) child.disconnect();
    force ??= setTimeout(() => child.kill('SIGKILL'), options.graceMs ?? GRACE_MS);
  };
  const stop = (failure: unknown): void => finish(() => reject(failure));
  const stopWatching = watchTime(child.pid, options, stop);

  child.on('message', (message: FromChild) => {
    if (message.type === 'ready') ready = true;
    else if (message.type === 'progress') onProgress(message.value);
    else if (message.type === 'done') finish(() => resolve(message.output));
    else if (message.type === 'refused') stop(new ChildFailure('refused', message.reason, message.reason));
    else stop(new ChildFailure(message.stage === 'load' ? 'not_started' : 'crashed', message.message));
  });
  const said = listenTo(child, options.refuseOn);
  const ended = (how: string): void => {
    stopWatching();
    clearTimeout(force);
    const { refusal, stderr } = said();
    if (refusal !== null && settle) settle = () => reject(new ChildFailure('refused', refusal.line, refusal.reason));
    settle ??= () => reject(new ChildFailure(ready ? 'crashed' : 'not_started', `${how} ${stderr}`.trim()));
    settle();
  };
  child.on('error', (error) => child.pid === undefined && ended(`no process: ${error.message}`));
  // Not 'close', which is never emitted once the parent has closed the channel.
  child.on('exit', (code, signal) => {
    const how = `ended by ${signal ?? `exit code ${code}`}`;
    void Promise.all([closed(child.stdout), closed(child.stderr)]).then(() => ended(how));
  });
  if (child.pid !== undefined) {
    lowerPriority(child.pid, options.niceness ?? NICENESS);
    // A send error is ignored: the child's messages, or its exit, show whether the task arrived.
    child.send(input, () => {});
  }
  return { pid: child.pid ?? null, output: promise, stop };
}

/** Calls `stop` when one of the two limits is reached. */
function watchTime(
  pid: number | undefined,
  { timeoutMs, processorMsMax }: ChildPoolOptions,
  stop: (failure: ChildFailure) => void,
): () => void {
  const timeout = setTimeout(() => stop(new ChildFailure('timeout', `no answer within ${timeoutMs} ms`)), timeoutMs);
  const check = setInterval(() => {
    const usedMs = pid === undefined ? null : processorMsOf(pid);
    if (usedMs === null || processorMsMax === undefined || usedMs <= processorMsMax) return;
    stop(new ChildFailure('exhausted', `no answer within ${processorMsMax} ms of processor time`));
  }, PROCESSOR_CHECK_MS);
  return () => {
    clearTimeout(timeout);
    clearInterval(check);
  };
}

type Said = { refusal: { line: string; reason: string } | null; stderr: string };

/** Reads what the child prints. The result returns what has been read until then. */
function listenTo({ stdout, stderr }: ChildProcess, refuseOn: ChildPoolOptions['refuseOn']): () => Said {
  const said: Said = { refusal: null, stderr: '' };
  let rest = '';
  const look = (line: string): void => {
    const reason = refuseOn?.(line) ?? null;
    if (reason !== null) said.refusal ??= { line: line.slice(-STDERR_CHARS), reason };
  };
  stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-STDERR_CHARS);
    lines.forEach(look);
  });
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.stderr = (said.stderr + text).slice(-STDERR_CHARS);
  });
  return () => said;
}

function closed(stream: Readable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null || stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}

function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // The child has ended, or the system forbids the change: the task may slow down other processes, but still runs.
  }
}
