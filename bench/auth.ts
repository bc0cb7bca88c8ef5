/**
 * What it costs to know who is calling, as shares of a whole `get-user-credits` of the same run: verifying the access token, and the
 * lookup that finds its account and whether its session, a ban or a deletion has ended it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { assemble } from '../src/entry/assemble.ts';
import { type Boot, boot } from '../src/entry/boot.ts';
import { findAccount } from '../src/features/accounts/find-account.ts';
import { openSession } from '../src/features/accounts/session.ts';
import { readBalance } from '../src/features/credits/balance.ts';
import { silentLog } from '../src/kernel/log.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const WARM_UP_ROUNDS = 300;
const ROUNDS = 1_500;
const VERIFYING_MAX_PERCENT = 15;

export const auth: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  try {
    await migrate({ url: postgres.url, log: silentLog });
    const env = { DATABASE_URL: postgres.url, DATA_DIR: dataDir, LOG_LEVEL: 'silent', PATH: process.env.PATH };
    const booted = await boot({ env: { ...env, RATE_LIMIT_CALLS_PER_MINUTE: '1000000' }, canEmbed: false });
    try {
      return await measure(booted);
    } finally {
      await booted.close();
    }
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

/** The steps of one round, one after the other: whatever else the machine does concerns all of them alike. */
async function measure(booted: Boot): Promise<Measurement[]> {
  const { ctx } = booted.running;
  const api = assemble(booted, { socketIpOf: () => '192.0.2.1', isWorking: () => true });
  const { user_id: userId } = await ctx.db.call('onboard_device', { device_id: randomUUID() });
  const { accessToken } = await openSession(ctx, userId);
  const headers = { Authorization: `Bearer ${accessToken}` };
  const claims = await ctx.tokens.verify(accessToken);
  const sessionId = claims.sessionId ?? '';
  let newToken = '';
  const steps = {
    call: async () => {
      const response = await api.request('/functions/v1/get-user-credits', { headers });
      if (!response.ok) throw new Error(await response.text());
      await response.json();
    },
    known: () => ctx.tokens.verify(accessToken),
    unknown: () => ctx.tokens.verify(newToken),
    account: () => findAccount(ctx, claims),
    balance: () => readBalance(ctx, userId),
  };
  const times: Record<keyof typeof steps, number[]> = { call: [], known: [], unknown: [], account: [], balance: [] };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    // Each signature is another one.
    newToken = (await ctx.tokens.sign({ userId, sessionId, isAnonymous: true, amr: [] })).accessToken;
    for (const name of ['call', 'known', 'unknown', 'account', 'balance'] as const) {
      const began = performance.now();
      await steps[name]();
      if (round >= WARM_UP_ROUNDS) times[name].push(performance.now() - began);
    }
  }
  return summary(times);
}

function summary({ call, known, unknown, account, balance }: Record<string, number[]>): Measurement[] {
  const median = (of: number[] = []) => quantile(of, 0.5);
  const percent = (of: number[] | undefined) => (median(of) / median(call)) * 100;
  return [
    { name: 'get-user-credits, whole, the median', value: median(call), unit: 'ms' },
    {
      name: 'of it, verifying the token that the app has sent before',
      value: percent(known),
      unit: '%',
      promise: VERIFYING_MAX_PERCENT,
    },
    { name: 'of it, finding its account, session and bans', value: percent(account), unit: '%' },
    { name: 'of it, reading one row by its primary key', value: percent(balance), unit: '%' },
    { name: 'checking the signature of a token for the first time', value: median(unknown), unit: 'ms' },
    { name: 'the same, if it were done at each call', value: percent(unknown), unit: '%' },
  ];
}
