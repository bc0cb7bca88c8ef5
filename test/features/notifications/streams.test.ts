/** The event streams of a process: what they cost, how many there may be, and what ends them. */
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type pg from 'pg';
import { openSession } from '../../../src/features/accounts/session.ts';
import { createStreamHub } from '../../../src/features/notifications/stream-hub.ts';
import { until } from '../../media/until.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

type Stream = { ids: number[]; text: string; isEnded: boolean };

describe('event streams', () => {
  let app: TestApp;
  before(async () => {
    app = await createTestApp();
  });
  after(() => app[Symbol.asyncDispose]());

  const request = (token: string, init: RequestInit = {}) =>
    app.fetch('/functions/v1/job-events', { ...init, headers: { Authorization: `Bearer ${token}`, ...init.headers } });
  const emit = async (userId: string): Promise<number> => {
    await app.owner.query(`select emit_event($1, 'credits', null, '{}')`, [userId]);
    return (await app.owner.query('select max(id)::int as id from user_events where user_id = $1', [userId])).rows[0]
      .id;
  };

  async function open(t: TestContext, token: string, lastId?: number): Promise<Stream> {
    const response = await request(token, lastId === undefined ? {} : { headers: { 'Last-Event-ID': String(lastId) } });
    assert.equal(response.status, 200);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.ok(reader);
    t.after(() => reader.cancel());
    const stream: Stream = { ids: [], text: '', isEnded: false };
    (async () => {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        stream.text += read.value;
        stream.ids = [...stream.text.matchAll(/^id: (\d+)\nevent: /gm)].map(([, id]) => Number(id));
      }
      stream.isEnded = true;
    })();
    return stream;
  }

  /** Queries of the events since the call, on every connection of the pool. */
  function countReads(t: TestContext): () => number {
    let reads = 0;
    const wrapped = new WeakSet<pg.PoolClient>();
    const onAcquire = (client: pg.PoolClient) => {
      if (wrapped.has(client)) return;
      wrapped.add(client);
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      const counting = (...args: unknown[]) => {
        const [config] = args as [string | { text?: string }];
        if (`${typeof config === 'string' ? config : config.text}`.includes('from "user_events"')) reads += 1;
        return query(...args);
      };
      Object.assign(client, { query: counting });
    };
    app.ctx.db.pool.on('acquire', onAcquire);
    t.after(() => app.ctx.db.pool.off('acquire', onAcquire));
    return () => reads;
  }

  it('of one account are sent an event after one read of the database', async (t) => {
    const userId = await app.user();
    const token = await app.tokenOf(userId);
    const streams = await Promise.all(Array.from({ length: 5 }, () => open(t, token)));
    const first = await emit(userId);
    await until(() => streams.every(({ ids }) => ids.includes(first)));
    const reads = countReads(t);
    const second = await emit(userId);
    await until(() => streams.every(({ ids }) => ids.includes(second)));
    // The read of the first event may still be followed by one that finds nothing.
    assert.ok(reads() <= 2, `${reads()} reads for five streams`);
    for (const { ids } of streams) assert.deepEqual(ids, [first, second]);
  });

  it('that resume from different places are each sent what they lack, once and in order', async (t) => {
    const userId = await app.user(0);
    const token = await app.tokenOf(userId);
    await app.owner.query(`select emit_event($1, 'credits', null, '{}') from generate_series(1, 150)`, [userId]);
    const { rows } = await app.owner.query('select id::int from user_events where user_id = $1 order by id', [userId]);
    const ids: number[] = rows.map(({ id }) => id);
    const places = [0, ids[20], ids[140], ids[149]];
    const streams = await Promise.all(places.map((id) => open(t, token, id)));
    const last = await emit(userId);
    await until(() => streams.every((stream) => stream.ids.includes(last)));
    for (const [index, stream] of streams.entries()) {
      assert.deepEqual(
        stream.ids,
        [...ids, last].filter((id) => id > Number(places[index])),
      );
    }
  });

  it('are not opened by HEAD, which leaves nothing behind', async (t) => {
    const userId = await app.user();
    const token = await app.tokenOf(userId);
    const reads = countReads(t);
    for (let count = 0; count < 30; count += 1) {
      const response = await request(token, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.match(response.headers.get('Content-Type') ?? '', /^text\/event-stream/);
      assert.equal(response.body, null);
    }
    await emit(userId);
    const other = await app.user();
    const stream = await open(t, await app.tokenOf(other));
    const seen = await emit(other);
    await until(() => stream.ids.includes(seen));
    // A few for the stream that was opened: its place, its first read, and its event.
    assert.ok(reads() < 10, `${reads()} reads`);
  });

  it('are at most five for an account: the oldest ends, and those of other accounts stay', async (t) => {
    const [userId, other] = [await app.user(), await app.user()];
    const token = await app.tokenOf(userId);
    const foreign = await open(t, await app.tokenOf(other));
    const streams: Stream[] = [];
    for (let count = 0; count < 7; count += 1) streams.push(await open(t, token));
    await until(() => streams.filter(({ isEnded }) => isEnded).length === 2);
    const [id, foreignId] = [await emit(userId), await emit(other)];
    await until(() => streams.slice(2).every(({ ids }) => ids.includes(id)) && foreign.ids.includes(foreignId));
    assert.deepEqual(
      streams.map(({ isEnded }) => isEnded),
      [true, true, false, false, false, false, false],
    );
  });

  it('are at most five for an account across servers', async (t) => {
    const userId = await app.user();
    let announced = 0;
    t.after(app.ctx.userEvents.subscribe((payload) => (announced += Number(payload?.startsWith(`stream:${userId}`)))));
    const servers = [createStreamHub(app.ctx), createStreamHub(app.ctx)];
    const ended: number[] = [];
    const open = async (server: number, name: number) => {
      const expected = announced + 1;
      const stream = { sentId: 0, sessionId: null, send: () => true, end: () => void ended.push(name) };
      t.after(servers[server]?.join(userId, stream) ?? (() => {}));
      await until(() => announced === expected);
    };
    for (const name of [1, 2, 3]) await open(0, name);
    for (const name of [4, 5]) await open(1, name);
    assert.deepEqual(ended, []);
    await open(1, 6);
    assert.deepEqual(ended, [1]);
    await open(0, 7);
    assert.deepEqual(ended, [1, 2]);
  });

  it('begin anew after the id of an event that the account does not have, or has no longer', async (t) => {
    const [userId, other] = [await app.user(), await app.user()];
    const [pruned, foreign] = [await emit(userId), await emit(other)];
    const [token, kept] = [await app.tokenOf(userId), await emit(userId)];
    await app.owner.query('delete from user_events where id = $1', [pruned]);
    const job = await app.generate(userId);
    for (const lastId of [pruned, foreign, 2 ** 40]) {
      const stream = await open(t, token, lastId);
      await until(() => stream.text.includes(job));
      assert.match(stream.text, /^id: beginning$/m, String(lastId));
    }
    const resumed = await open(t, token, kept);
    await until(() => resumed.ids.length > 0);
    assert.doesNotMatch(resumed.text, /beginning/);
  });

  type Closing = { what: string; sql: string; of: 'session' | 'account'; status: number };
  const closings: Closing[] = [
    {
      what: 'session is closed',
      sql: 'update sessions set revoked_at = now() where id = $1',
      of: 'session',
      status: 401,
    },
    { what: 'session is deleted', sql: 'delete from sessions where id = $1', of: 'session', status: 401 },
    { what: 'account is banned', sql: `insert into user_bans values ($1, 'a test')`, of: 'account', status: 403 },
    {
      what: 'account is deleted',
      sql: 'update users set deleted_at = now() where id = $1',
      of: 'account',
      status: 401,
    },
  ];
  for (const { what, sql, of, status } of closings) {
    it(`end at once when their ${what}, and are not opened again; others go on`, async (t) => {
      const [userId, other] = [await app.user(), await app.user()];
      const [session, sibling] = [await openSession(app.ctx, userId), await openSession(app.ctx, userId)];
      const { sessionId } = await app.ctx.tokens.verify(session.accessToken);
      const ended = await open(t, session.accessToken);
      const beside = await open(t, sibling.accessToken);
      const foreign = await open(t, await app.tokenOf(other));
      await app.owner.query(sql, [of === 'session' ? sessionId : userId]);
      await until(() => ended.isEnded && (of === 'session' || beside.isEnded));
      assert.equal((await request(session.accessToken)).status, status);
      const [id, foreignId] = [await emit(userId), await emit(other)];
      await until(() => foreign.ids.includes(foreignId) && (of === 'account' || beside.ids.includes(id)));
      assert.deepEqual([ended.ids, beside.isEnded, foreign.isEnded], [[], of === 'account', false]);
    });
  }

  it('catch up on events and bans after the connection to the database was lost', async () => {
    const [userId, banned] = [await app.user(), await app.user()];
    let notify: (payload: string | null) => void = () => {};
    const userEvents = {
      subscribe(handler: typeof notify) {
        notify = handler;
        return () => {};
      },
      close: async () => {},
    };
    const hub = createStreamHub({ ...app.ctx, userEvents });
    const join = (id: string) => {
      const stream = {
        seen: [] as number[],
        isEnded: false,
        sentId: 0,
        sessionId: null,
        send: (event: { id: number }) => stream.seen.push(event.id) > 0,
        end: () => {
          stream.isEnded = true;
        },
      };
      hub.join(id, stream);
      return stream;
    };
    const first = [await emit(userId), await emit(banned)];
    const [stream, ended] = [join(userId), join(banned)];
    await until(() => stream.seen.includes(first[0] ?? 0) && ended.seen.includes(first[1] ?? 0));
    const id = await emit(userId);
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'a test')`, [banned]);
    assert.deepEqual([stream.seen.includes(id), ended.isEnded], [false, false]);
    notify(null);
    await until(() => stream.seen.includes(id) && ended.isEnded);
    assert.equal(stream.isEnded, false);
  });
});
