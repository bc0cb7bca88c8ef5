/** Tries the database URLs as the server is going to use them. What does not work then would otherwise show in the middle of the work. */
import { randomInt } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { within } from '../kernel/sleep.ts';
import { UnusableSession } from './outage.ts';
import { DatabaseClient, ownerSession, restrictedSession, type SessionConfig } from './session.ts';

const CHANNEL = 'rendio_start';
const NOTIFICATION_TIMEOUT_MS = 5_000;
/** Tokens, deadlines and vendors' signatures allow for a difference of seconds. */
export const CLOCK_DIFFERENCE_MAX_MS = 3_000;

/** Throws if LISTEN or session locks do not work at the unpooled URL. As the owner: the server's role may not exist yet. */
export async function trySessions(url: string): Promise<void> {
  const [one, other] = [new DatabaseClient(ownerSession(url, NAME)), new DatabaseClient(ownerSession(url, NAME))];
  try {
    await Promise.all([one.connect(), other.connect()]);
    const pid = await pidOf(one);
    // A pooler that hands out its sessions anew for each transaction gives the first one's to the other, or a new one to the first.
    await other.query('begin');
    const pids = [await pidOf(other), await pidOf(one)];
    await other.query('rollback');
    if (pids[0] === pid || pids[1] !== pid) throw new UnusableSession(UNPOOLED_ADVICE);
    if (!(await isNotified(one, other)) || !(await excludes(one, other))) throw new UnusableSession(UNPOOLED_ADVICE);
  } finally {
    await Promise.all([one, other].map((client) => client.end().catch(() => {})));
  }
}

const NAME = 'rendio-start';
const UNPOOLED_ADVICE =
  'LISTEN and session locks do not work there. A connection pooler gives each transaction another session: name PostgreSQL itself, ' +
  'or a pooler in session mode, in DATABASE_DIRECT_URL.';

async function pidOf(client: DatabaseClient): Promise<number> {
  return (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
}

async function isNotified(one: DatabaseClient, other: DatabaseClient): Promise<boolean> {
  const payload = String(randomInt(2 ** 47));
  const arrived = new Promise<true>((resolve) => {
    one.on('notification', (message) => message.payload === payload && resolve(true));
  });
  await one.query(`listen ${CHANNEL}`);
  await other.query('select pg_notify($1, $2)', [CHANNEL, payload]);
  return (await within(NOTIFICATION_TIMEOUT_MS, arrived)) === true;
}

async function excludes(one: DatabaseClient, other: DatabaseClient): Promise<boolean> {
  const key = randomInt(2 ** 47);
  return (await isLocked(one, key)) && !(await isLocked(other, key));
}

async function isLocked(client: DatabaseClient, key: number): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [key]);
  return rows[0]?.locked ?? false;
}

/** Throws if a session at the URL does not act as the server's role with its limits. */
export async function tryRole(url: string): Promise<void> {
  await withSession(restrictedSession(url, NAME), async () => {});
}

/** Throws if the URL, which may lead through a pooler, is not of the database that was migrated, or if it takes no writes. */
export async function trySameDatabase(
  url: string,
  directUrl: string,
  sessionAt: typeof restrictedSession = restrictedSession,
): Promise<void> {
  const key = randomInt(2 ** 47);
  await withSession(ownerSession(directUrl, NAME), async (direct) => {
    await isLocked(direct, key);
    await withSession(sessionAt(url, NAME), async (client) => {
      // Locks are of one database on one host. In one statement: the next may reach another session.
      const { rows } = await client.query<{ isFree: boolean; isReadOnly: boolean }>(
        `select pg_try_advisory_xact_lock($1) as "isFree", pg_is_in_recovery() as "isReadOnly"`,
        [key],
      );
      if (rows[0]?.isReadOnly) throw new UnusableSession('it takes no writes: it is a standby.');
      if (rows[0]?.isFree) throw new UnusableSession('it is not the database that DATABASE_DIRECT_URL names.');
    });
  });
}

/** Logs a warning if this machine's clock differs from the database's. */
export async function compareClocks(url: string, clock: Clock, log: Log): Promise<void> {
  const aheadMs = await clockDifference(url, clock);
  if (aheadMs === null) return;
  const fields = { ahead_seconds: Math.round(aheadMs / 100) / 10 };
  log.warn(fields, 'the clock of this machine differs from the clock of the database; set both by NTP');
}

/** How far this machine's clock is ahead of the database's; null: not further than is allowed. */
export async function clockDifference(url: string, clock: Clock): Promise<number | null> {
  return withSession(ownerSession(url, NAME), async (client) => {
    const before = clock.now().getTime();
    const { rows } = await client.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    const after = clock.now().getTime();
    const aheadMs = (before + after) / 2 - (rows[0]?.ms ?? before);
    return Math.abs(aheadMs) - (after - before) / 2 <= CLOCK_DIFFERENCE_MAX_MS ? null : aheadMs;
  });
}

async function withSession<T>(config: SessionConfig, work: (client: DatabaseClient) => Promise<T>): Promise<T> {
  const client = new DatabaseClient(config);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
