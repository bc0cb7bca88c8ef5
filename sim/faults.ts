/** The part of a control panel that every simulator shares: what goes wrong next. */
import type { Context } from 'hono';
import { z } from 'zod';
import { cut, type SimulatorEnv, wasCut } from './cut.ts';

const madeUpReply = z.object({
  status: z.int().min(200).max(599),
  text: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  /** This many bytes of filler after the text. */
  fillerBytes: z.int().min(0).default(0),
  /** A rest in the middle of the text. */
  stallMs: z.int().min(0).default(0),
  /** The connection ends in the middle of the text. */
  isCutShort: z.boolean().default(false),
});

type MadeUpReply = z.output<typeof madeUpReply>;

/** Spoils the next `times` requests of the operation `on`; faults are used up in the order they were planned. */
export const faultShape = z.object({
  on: z.string().default('any'),
  times: z.int().min(1).default(1),
  /** Carry the request out before spoiling its answer. */
  apply: z.boolean().default(false),
  /** How long nothing is answered. */
  hangMs: z.int().min(0).default(0),
  /** `cut`: the connection ends without an answer. */
  reply: z.union([z.enum(['genuine', 'cut']), madeUpReply]).default('genuine'),
});

export type Fault = z.output<typeof faultShape>;
export type FaultInput = z.input<typeof faultShape>;

/** Resolves after `ms`, or as soon as the signal aborts: the caller has gone away, or the simulator closes. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(stop, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

const FILLER_CHUNK_BYTES = 64 * 1024;

async function* chunksOf(
  c: Context<SimulatorEnv>,
  reply: MadeUpReply,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const middle = Math.floor(reply.text.length / 2);
  yield encoder.encode(reply.text.slice(0, middle));
  if (reply.stallMs > 0) await rest(reply.stallMs, signal);
  if (reply.isCutShort) {
    if (wasCut(cut(c))) throw new Error('other side closed');
    return;
  }
  yield encoder.encode(reply.text.slice(middle));
  const filler = new Uint8Array(FILLER_CHUNK_BYTES).fill(0x78);
  for (let left = reply.fillerBytes; left > 0; left -= FILLER_CHUNK_BYTES) yield filler.subarray(0, left);
}

/** A body that is made as it is read. */
export function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

function makeUp(c: Context<SimulatorEnv>, reply: MadeUpReply, signal: AbortSignal): Response {
  const { status, text, headers } = reply;
  const isSimple = reply.fillerBytes === 0 && reply.stallMs === 0 && !reply.isCutShort;
  const type = text.startsWith('<') ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
  const body = text === '' && isSimple ? null : streamOf(chunksOf(c, reply, signal));
  return new Response(body, { status, headers: { 'content-type': type, ...headers } });
}

/** A queue of planned faults, and the way to answer under them. */
export function createFaults() {
  let planned: Fault[] = [];
  const closing = new AbortController();

  function take(operation: string): Fault | undefined {
    const fault = planned.find(({ on }) => on === operation || on === 'any');
    if (fault) fault.times -= 1;
    planned = planned.filter(({ times }) => times > 0);
    return fault;
  }

  async function answer(
    c: Context<SimulatorEnv>,
    operation: string,
    genuine: () => Promise<Response>,
  ): Promise<Response> {
    const fault = take(operation);
    if (!fault) return genuine();
    const signal = AbortSignal.any([c.req.raw.signal, closing.signal]);
    const applied = fault.apply ? await genuine() : undefined;
    if (fault.hangMs > 0) await rest(fault.hangMs, signal);
    if (fault.reply === 'cut' || signal.aborted) return cut(c);
    return fault.reply === 'genuine' ? (applied ?? genuine()) : makeUp(c, fault.reply, signal);
  }

  return {
    plan(fault: FaultInput): void {
      planned.push(faultShape.parse(fault));
    },
    clear(): void {
      planned = [];
    },
    answer,
    /** Lets go of whoever is kept waiting. */
    close(): void {
      closing.abort();
    },
  };
}
