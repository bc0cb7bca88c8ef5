/** Guessing codes: how many guesses are answered, on all servers together. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createDatabase } from '../../../src/db/database.ts';
import { createPool } from '../../../src/db/pool.ts';
import { redeemCode } from '../../../src/features/credits/redeem.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { recordingLog } from '../../http/harness.ts';
import { until } from '../../media/until.ts';
import { waitingForLocks } from '../../support/locks.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';
import { newCode, outcomesOf, redeem, wrongCode } from './codes.ts';

const log = recordingLog();
const people = await createPeople({ log });
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

/** The default, also in development. */
const GUESSES = 10;

async function guessUpToTheLimit(person: Person): Promise<void> {
  for (let n = 0; n < GUESSES; n += 1) assert.equal((await redeem(people, person, wrongCode())).status, 400);
}

describe('wrong codes of an account', () => {
  it('are counted and shown; beyond the limit every code is 429, also a right one', async () => {
    const [guest, right] = [await people.guest(0), await newCode(people)];
    for (let left = GUESSES - 1; left >= 0; left -= 1) {
      const { status, headers } = await redeem(people, guest, wrongCode());
      assert.equal(status, 400);
      assert.equal(headers.get('RateLimit-Policy'), `"code_guesses";q=${GUESSES};w=3600`);
      assert.match(headers.get('RateLimit') ?? '', new RegExp(`^"code_guesses";r=${left};t=\\d+$`));
    }
    log.lines.length = 0;
    for (const code of [wrongCode(), right]) {
      const { status, body, headers } = await redeem(people, guest, code);
      assert.deepEqual([status, body.error.code, body.error.details.reason], [429, 'ERR_4004', 'code_guesses']);
      assert.match(body.error.message, /too many codes .* in \d+ minutes\./);
      const retryAfter = Number(headers.get('Retry-After'));
      assert.ok(retryAfter > 3000 && retryAfter <= 3600);
      assert.equal(body.error.details.retry_after, retryAfter);
      assert.match(headers.get('RateLimit') ?? '', /^"code_guesses";r=0;t=\d+$/);
    }
    assert.equal(await app.balance(guest.id), 0);
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      Array(2).fill({ user_id: guest.id, limit_of: 'account' }),
    );
  });

  it('are answered again after an hour', async () => {
    const [guest, right] = [await people.guest(0), await newCode(people)];
    await guessUpToTheLimit(guest);
    await people.rows(`update rate_limit_log set created_at = created_at - interval '1 hour' where user_id = $1`, [
      guest.id,
    ]);
    assert.deepEqual(outcomesOf([await redeem(people, guest, right)]), ['200 5']);
  });

  it('are not right ones: those are neither counted nor limited, and a used one is answered at the limit', async () => {
    const guest = await people.guest(0);
    const codes = await Promise.all(Array.from({ length: GUESSES + 2 }, () => newCode(people)));
    for (const code of codes) assert.equal((await redeem(people, guest, code)).status, 200);
    await guessUpToTheLimit(guest);
    assert.equal((await redeem(people, guest, await newCode(people))).status, 429);
    assert.deepEqual(outcomesOf([await redeem(people, guest, codes[0])]), ['200 0']);
  });

  it('that race are answered no more often than the limit says, on two servers together', async () => {
    const guest = await people.guest(0);
    const pool = createPool({ url: app.url, log: silentLog, connectionsMax: 10 });
    try {
      const servers = [app.ctx, { ...app.ctx, db: createDatabase(pool) }];
      const codes = await Promise.allSettled(
        Array.from({ length: 40 }, (_, n) => {
          const ctx = servers[n % 2] ?? app.ctx;
          return redeemCode(ctx, { userId: guest.id, code: wrongCode(), ip: '203.0.113.1', idempotencyKey: null });
        }),
      );
      const seen = codes.map((each) =>
        each.status === 'rejected' && each.reason instanceof Problem ? each.reason.code : 'none',
      );
      assert.deepEqual(seen.sort(), [...Array(30).fill('ERR_4004'), ...Array(GUESSES).fill('ERR_4018')]);
    } finally {
      await pool.end();
    }
  });

  it('count for the account that a guest is merged into', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest(0)];
    await guessUpToTheLimit(guest);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    for (const one of [survivor, guest]) assert.equal((await redeem(people, one, wrongCode())).status, 429);
  });
});

describe('wrong codes of an IP address', () => {
  it('are limited over all its accounts, also if they race, and a right one does not slip through', async () => {
    await using other = await createPeople({
      env: { RATE_LIMIT_CODE_GUESSES_PER_HOUR_PER_ADDRESS: '6' },
      log,
    });
    const guests = await Promise.all(Array.from({ length: 8 }, () => other.guest(0)));
    const answers = await Promise.all(
      guests.flatMap((guest) => [redeem(other, guest, wrongCode()), redeem(other, guest, wrongCode())]),
    );
    assert.deepEqual(outcomesOf(answers), [...Array(6).fill('400 ERR_4018'), ...Array(10).fill('429 ERR_4004')]);
    log.lines.length = 0;
    const right = await redeem(other, await other.guest(0), await newCode(other));
    assert.deepEqual([right.status, right.headers.get('RateLimit-Policy')], [429, '"code_guesses";q=6;w=3600']);
    assert.equal(log.lines.find(({ level }) => level === 'warn')?.fields.limit_of, 'address');
    await other.rows(`update rate_limit_log set created_at = created_at - interval '1 hour'`);
    assert.equal((await redeem(other, await other.guest(0), await newCode(other))).status, 200);
    await other.assertUnbroken();
  });

  it('count before they are committed: a right one waits for the guess that takes the last slot', async () => {
    const [guesser, guest, right] = [await people.guest(0), await people.guest(0), await newCode(people)];
    const at = { limit_account: 10, limit_address: 1, address: '203.0.113.7' };
    const holder = await app.owner.connect();
    try {
      await holder.query('begin');
      await holder.query(`select redeem_code($1, $2, 10, 1, '203.0.113.7')`, [guesser.id, wrongCode()]);
      let isDone = false;
      const call = app.ctx.db.call('redeem_code', { user_id: guest.id, code: right, ...at }).finally(() => {
        isDone = true;
      });
      await until(async () => isDone || (await waitingForLocks(app)) > 0);
      await holder.query('commit');
      const answer = await call;
      assert.ok(answer.outcome === 'rate_limited', answer.outcome);
      assert.equal(answer.scope, 'address');
    } finally {
      holder.release(true);
    }
  });
});

describe('codes that are created', () => {
  it('are of twelve characters that no other looks like, and no two are alike', async () => {
    const codes = await Promise.all(Array.from({ length: 200 }, () => newCode(people)));
    for (const code of codes) assert.match(code, /^[ACDEFGHJKMNPQRTVWXY34679]{12}$/);
    assert.equal(new Set(codes).size, codes.length);
    for (const letter of 'ACDEFGHJKMNPQRTVWXY34679')
      assert.ok(
        codes.some((code) => code.includes(letter)),
        letter,
      );
  });

  it('with a text that exists are none, and change nothing', async () => {
    await newCode(people, { code: 'TWICE2026', credits: 5 });
    assert.equal(await newCode(people, { code: 'TWICE2026', credits: 9 }), 'null');
    assert.deepEqual(await people.rows(`select credits from codes where code = 'TWICE2026'`), [{ credits: 5 }]);
  });

  it('are found by an index, however many there are', async () => {
    const guest = await people.guest(0);
    await people.rows(
      `insert into codes (code, credits, uses_max) select 'MANY' || n, 1, 1 from generate_series(1, 20000) n`,
    );
    const client = await app.owner.connect();
    try {
      await client.query('analyze codes');
      await client.query('begin');
      for (const code of [wrongCode(), 'MANY777', 'MANY777']) {
        await client.query('select redeem_code($1, $2, 1000, 1000)', [guest.id, code]);
      }
      const { rows } = await client.query(
        `select relname, seq_scan::int from pg_stat_xact_user_tables where relname in ('codes', 'code_uses') and seq_scan > 0`,
      );
      assert.deepEqual(rows, []);
      await client.query('rollback');
    } finally {
      client.release();
    }
  });
});
