/** Loom's side of the protocol. Orders stay open until `finish`. */
import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import type { SimulatorEnv } from '../../../sim/drop-connection.ts';
import type { ProviderSimulator, SimulatorOptions } from '../../../sim/provider-simulator.ts';
import { signatureOf } from './signature.ts';

export type LoomOrder = { ticket: string; text: string; seconds: number; notify: string | null; isDone: boolean };

export type LoomSimulator = ProviderSimulator & {
  orders(): LoomOrder[];
  /** Completes all orders and sends their webhooks; returns what the receiver answered. */
  finish(): Promise<number[]>;
};

const CREDENTIALS = { account: 'acc_simulated', secret: 'sec_simulated' };
export const VIDEO = 'a video by Loom';

export async function createLoomSimulator({ deliver }: Pick<SimulatorOptions, 'deliver'>): Promise<LoomSimulator> {
  const orders = new Map<string, LoomOrder>();
  const app = new Hono<SimulatorEnv>();
  app.use('/orders/*', async (c, next) => {
    const isCustomer =
      c.req.header('x-loom-account') === CREDENTIALS.account && c.req.header('x-loom-secret') === CREDENTIALS.secret;
    if (!isCustomer) return c.text('unknown account', 418);
    await next();
  });
  app.post('/orders', async (c) => {
    const ticket = randomUUID();
    orders.set(ticket, { ...(await c.req.json()), ticket, isDone: false });
    return c.json({ ticket }, 201);
  });
  app.get('/orders/:ticket', (c) => {
    const order = orders.get(c.req.param('ticket'));
    if (!order) return c.text('no such ticket', 404);
    return c.json({ video: order.isDone ? new URL(`/videos/${order.ticket}.mp4`, c.req.url).href : null });
  });
  app.get('/videos/:file', (c) => c.body(VIDEO, 200, { 'content-type': 'video/mp4' }));

  return {
    credentials: CREDENTIALS,
    urls: { apiUrl: 'https://api.loom.example' },
    hosts: ['api.loom.example', 'files.loom.example'],
    app,
    orders: () => [...orders.values()],
    async finish() {
      const open = [...orders.values()].filter(({ isDone }) => !isDone);
      const answers = open.map(async (order) => {
        order.isDone = true;
        if (order.notify === null) return [];
        const body = JSON.stringify({ ticket: order.ticket });
        const headers = { 'x-loom-signature': signatureOf(body, CREDENTIALS.secret) };
        return [(await deliver(order.notify, { method: 'POST', headers, body })).status];
      });
      return (await Promise.all(answers)).flat();
    },
    close: async () => {},
  };
}
