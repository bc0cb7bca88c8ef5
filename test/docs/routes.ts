import assert from 'node:assert/strict';
import { createHttp } from '../../src/app/http.ts';
import type { Context } from '../../src/features/context.ts';
import type { Api } from '../../src/http/api.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';

/** The application with all its routes, of which only those can be called that need nobody and nothing. */
export function declareRoutes(): Api {
  const ctx = {
    log: silentLog,
    clock: systemClock,
    policy: { limits: { callsPerMinute: 1 } },
    tokens: { verify: () => assert.fail('nobody has a token') },
  };
  // All that declaring them reads.
  return createHttp(ctx as unknown as Context, {
    publicUrl: undefined,
    corsOrigins: '*',
    anonKey: undefined,
    ipOf: () => '203.0.113.1',
    isWorking: () => null,
  });
}
