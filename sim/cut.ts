import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

/** What a simulator's app runs in: Node's server, or nothing when it is called inside this process. */
export type SimulatorEnv = { Bindings: Partial<HttpBindings> };

const CUT_IN_PROCESS = 'x-simulator-cut';

/** Ends the connection without an answer. */
export function cut(c: Context<SimulatorEnv>): Response {
  const socket = c.env?.incoming?.socket;
  if (!socket) return new Response(null, { headers: { [CUT_IN_PROCESS]: 'yes' } });
  socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

export function wasCut(response: Response): boolean {
  return response.headers.has(CUT_IN_PROCESS);
}
