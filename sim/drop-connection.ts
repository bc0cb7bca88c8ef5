import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

/** What a simulator's app runs in: Node's server, or nothing when it is called inside this process. */
export type SimulatorEnv = { Bindings: Partial<HttpBindings> };

/** Marks the response that stands for a dropped connection where there is no socket. */
const DROPPED_IN_PROCESS = 'x-simulator-dropped';

/** Closes the connection without an answer. */
export function dropConnection(c: Context<SimulatorEnv>): Response {
  const socket = c.env?.incoming?.socket;
  if (!socket) return new Response(null, { headers: { [DROPPED_IN_PROCESS]: 'yes' } });
  socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

export function wasDropped(response: Response): boolean {
  return response.headers.has(DROPPED_IN_PROCESS);
}
