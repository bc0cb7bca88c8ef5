/** The web shop under Deno, with the permissions of edge functions: Stripe's library has a part of its own for it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { serveSimulator } from '../../sim/serve.ts';
import { createStripeSimulator } from '../../sim/stripe.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { DENO_VERSIONS, runProgram } from './support/deno.ts';

const PROGRAM = join(import.meta.dirname, 'support', 'web-shop.ts');

describe('the web shop under Deno', { concurrency: true }, () => {
  for (const version of DENO_VERSIONS) {
    it(`sells, asks about payments and verifies events as under Node: ${version}`, async () => {
      const stripe = createStripeSimulator({ clock: systemClock, log: silentLog, deliver: fetch });
      const served = await serveSimulator(stripe.app);
      const about = { object: 'event', type: 'charge.refunded', created: 1_795_000_000, livemode: false };
      const body = JSON.stringify({ id: 'evt_1', ...about, data: { object: { payment_intent: 'pi_1' } } });
      const header = stripe.controls.events.sign(body);
      try {
        const shop = { baseUrl: served.url, ...stripe.credentials, body, header };
        const output = await runProgram({ version, program: PROGRAM, input: JSON.stringify(shop) });
        assert.deepEqual(JSON.parse(output), {
          checkout: 'created',
          unknown: 'not_ours',
          genuine: { kind: 'changed', transactionId: 'pi_1' },
          changed: null,
        });
      } finally {
        await served.close();
        await stripe.close();
      }
    });
  }
});
