import type { Context } from 'hono';
import type { SimulatorEnv } from './drop-connection.ts';
import type { createFaults } from './faults.ts';

/** `status` is 0 until the request is answered. `input` is the body of a submit, unchanged. */
export type Call<Operation extends string> = {
  operation: Operation;
  path: string;
  status: number;
  input?: Record<string, unknown> | undefined;
};

type Handler = (c: Context<SimulatorEnv>) => Promise<Response> | Response;

const CALLS_KEPT = 1000;

/** Records the requests to a simulator, and answers them under the planned faults. */
export function createCallLog<Operation extends string>(faults: ReturnType<typeof createFaults>) {
  const calls: Call<Operation>[] = [];

  async function answer(
    operation: Operation,
    c: Context<SimulatorEnv>,
    handler: Handler,
    input?: Record<string, unknown>,
  ): Promise<Response> {
    const call: Call<Operation> = { operation, path: c.req.path, status: 0, input };
    calls.push(call);
    if (calls.length > CALLS_KEPT) calls.shift();
    const response = await faults.answer(c, operation, async () => handler(c));
    call.status = response.status;
    return response;
  }

  return {
    answer,
    /** `answer` as a route's handler. */
    route: (operation: Operation, handler: Handler) => (c: Context<SimulatorEnv>) => answer(operation, c, handler),
    /** Oldest first; the last thousand. */
    list: (): Call<Operation>[] => structuredClone(calls),
  };
}

export type CallLog<Operation extends string> = ReturnType<typeof createCallLog<Operation>>;
