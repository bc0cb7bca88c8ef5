/** Planned faults, which every simulator can have: what goes wrong with the next requests. */
import type { Context } from 'hono';
import { z } from 'zod';
import { dropConnection, type SimulatorEnv, wasDropped } from './drop-connection.ts';

const customReply = z.object({
  status: z.int().min(200).max(599),
  text: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  /** This many bytes of filler after the text. */
  fillerBytes: z.int().min(0).default(0),
  /** A pause in the middle of the text. */
  stallMs: z.int().min(0).default(0),
  /** The connection ends in the middle of the text. */
  isCutShort: z.boolean().default(false),
});

type CustomReply = z.output<typeof customReply>;

/** Applies to the next `times` requests of the operation `on`. Faults are used up in the order in which they were planned. */
export const faultShape = z.object({
  on: z.string().default('any'),
  times: z.int().min(1).default(1),
  /** Carry the request out before the fault changes its answer. */
  apply: z.boolean().default(false),
  /** Time before the answer. */
  hangMs: z.int().min(0).default(0),
  /** `cut`: the connection is closed without an answer. */
  reply: z.union([z.enum(['genuine', 'cut']), customReply]).default('genuine'),
});

export type Fault = z.output<typeof faultShape>;
export type FaultInput = z.input<typeof faultShape>;

/** Resolves after `ms`, or as soon as the signal aborts: the caller has disconnected, or the simulator closes. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
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
  reply: CustomReply,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const middle = Math.floor(reply.text.length / 2);
  yield encoder.encode(reply.text.slice(0, middle));
  if (reply.stallMs > 0) await wait(reply.stallMs, signal);
  if (reply.isCutShort) {
    if (wasDropped(dropConnection(c))) throw new Error('other side closed');
    return;
  }
  yield encoder.encode(reply.text.slice(middle));
  const filler = new Uint8Array(FILLER_CHUNK_BYTES).fill(0x78);
  for (let left = reply.fillerBytes; left > 0; left -= FILLER_CHUNK_BYTES) yield filler.subarray(0, left);
}

/** A body that is generated while it is read. */
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

function customResponse(c: Context<SimulatorEnv>, reply: CustomReply, signal: AbortSignal): Response {
  const { status, text, headers } = reply;
  const isSimple = reply.fillerBytes === 0 && reply.stallMs === 0 && !reply.isCutShort;
  const type = text.startsWith('<') ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
  const body = text === '' && isSimple ? null : streamOf(chunksOf(c, reply, signal));
  return new Response(body, { status, headers: { 'content-type': type, ...headers } });
}

/** A queue of planned faults, and a way to answer under them. */
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
    if (fault.hangMs > 0) await wait(fault.hangMs, signal);
    if (fault.reply === 'cut' || signal.aborted) return dropConnection(c);
    return fault.reply === 'genuine' ? (applied ?? genuine()) : customResponse(c, fault.reply, signal);
  }

  return {
    plan(fault: FaultInput): void {
      planned.push(faultShape.parse(fault));
    },
    clear(): void {
      planned = [];
    },
    answer,
    /** Closes the connections that a fault keeps waiting. */
    close(): void {
      closing.abort();
    },
  };
}
