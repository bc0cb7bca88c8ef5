import type { Context } from 'hono';
import type { SimulatorEnv } from './cut.ts';
import type { createFaults } from './faults.ts';

/** `status` is 0 while nothing is answered. `input` is what a submit brought, as it came. */
export type Call<Operation extends string> = {
  operation: Operation;
  path: string;
  status: number;
  input?: Record<string, unknown> | undefined;
};

type Answer = (c: Context<SimulatorEnv>) => Promise<Response> | Response;

const CALLS_KEPT = 1000;

/** Notes what is asked, and answers it under the planned faults. */
export function createCallLog<Operation extends string>(faults: ReturnType<typeof createFaults>) {
  const calls: Call<Operation>[] = [];

  async function answered(
    operation: Operation,
    c: Context<SimulatorEnv>,
    answer: Answer,
    input?: Record<string, unknown>,
  ): Promise<Response> {
    const call: Call<Operation> = { operation, path: c.req.path, status: 0, input };
    calls.push(call);
    if (calls.length > CALLS_KEPT) calls.shift();
    const response = await faults.answer(c, operation, async () => answer(c));
    call.status = response.status;
    return response;
  }

  return {
    answered,
    /** The same as a handler of a route. */
    as: (operation: Operation, answer: Answer) => (c: Context<SimulatorEnv>) => answered(operation, c, answer),
    /** Oldest first; the last thousand. */
    list: (): Call<Operation>[] => structuredClone(calls),
  };
}

export type CallLog<Operation extends string> = ReturnType<typeof createCallLog<Operation>>;
