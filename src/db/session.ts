/** Sessions of PostgreSQL: how each is opened, what is checked before it is used, and when it is given up. */

import pg from 'pg';
import { createHosts, type Hosts, urlsOf } from './hosts.ts';
import { isSilence, UnusableSession } from './outage.ts';

export const SERVER_ROLE = 'rendio_server';

/** A normal statement takes milliseconds; one that takes this long is blocked. */
export const STATEMENT_TIMEOUT_MS = 12_000;
/** What an operator may have configured instead, in a pooler or for a role. */
const STATEMENT_TIMEOUT_MAX_MS = 20_000;
/** PostgreSQL would have ended the statement: the database, or the network before it, has fallen silent. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 1_500;
/** Long enough for a database that is restarting, short enough for a user who waits. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** With several hosts, one that is silent leaves time for the others. */
const HOST_TIMEOUT_MS = 2_500;
/** Both ends probe a silent connection: otherwise the session of a machine that lost power keeps its locks for hours. */
const KEEPALIVE_SECONDS = 10;
const KEEPALIVE = { tcp_keepalives_idle: KEEPALIVE_SECONDS, tcp_keepalives_interval: 3, tcp_keepalives_count: 3 };

/** bigint columns are counters and sizes far below 2^53. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export type SessionConfig = pg.ClientConfig & {
  /** Undefined for a URL that names a single host. */
  hosts?: Hosts | undefined;
  /** Whether the session has to act as the server's role, with its limits. */
  isRestricted: boolean;
  /** Called when a statement brought no answer. */
  onSilence?: () => void;
};

/** Settings of sessions that act as the owner whom the URL names. `answerTimeoutMs` null: statements may take long. */
export function ownerSession(
  url: string,
  applicationName: string,
  answerTimeoutMs: number | null = ANSWER_TIMEOUT_MS,
): SessionConfig {
  const urls = urlsOf(url);
  return {
    connectionString: urls[0],
    hosts: urls.length > 1 ? createHosts(urls, checkHost) : undefined,
    isRestricted: false,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_SECONDS * 1_000,
    ...(answerTimeoutMs === null ? {} : { query_timeout: answerTimeoutMs }),
  };
}

/** Settings of sessions that act as the server's role from the first statement on. */
export function restrictedSession(
  url: string,
  applicationName: string,
  answerTimeoutMs: number = ANSWER_TIMEOUT_MS,
): SessionConfig {
  const session = ownerSession(url, applicationName, answerTimeoutMs);
  const target = new URL(session.connectionString ?? '');
  const given = target.searchParams.get('options');
  target.searchParams.delete('options');
  const settings = { role: SERVER_ROLE, statement_timeout: STATEMENT_TIMEOUT_MS, timezone: 'UTC', ...KEEPALIVE };
  const ours = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
  return {
    ...session,
    connectionString: target.href,
    isRestricted: true,
    options: given ? `${given} ${ours}` : ours,
    types,
  };
}

/** A statement with a time limit of its own. */
export type TimedStatement = pg.QueryConfig & { query_timeout: number };

const IS_WRITABLE = `not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'`;
const CHECK: TimedStatement = {
  text: `
    select current_user::text as role,
      (extract(epoch from current_setting('statement_timeout')::interval) * 1000)::float8 as "timeoutMs",
      ${IS_WRITABLE} as "isWritable"`,
  query_timeout: CONNECT_TIMEOUT_MS,
};
type Checked = { role: string; timeoutMs: number; isWritable: boolean };

/** A client that chooses its host, is checked before its first use, and is thrown away when it gets no answer. */
export class DatabaseClient extends pg.Client {
  readonly #session: SessionConfig;

  constructor(session: SessionConfig) {
    super(session);
    this.#session = session;
    // A client that fails emits an error too; its statement rejects as well. Without a listener the process would end.
    this.on('error', () => session.hosts?.forget());
  }

  override connect(): Promise<DatabaseClient>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (...result: never[]) => void): Promise<DatabaseClient> | undefined {
    const opening = this.#open();
    if (!callback) return opening;
    opening.then(
      () => Reflect.apply(callback, undefined, [null, this]),
      (error) => Reflect.apply(callback, undefined, [error]),
    );
    return undefined;
  }

  async #open(): Promise<DatabaseClient> {
    const { hosts, isRestricted } = this.#session;
    try {
      if (hosts) Object.assign(this, await hosts.choose());
      // A pool destroys a client that takes too long.
      if (this.connection.stream.destroyed) throw new Error('timeout expired');
      await super.connect();
      if (isRestricted || hosts) await this.#check();
      return this;
    } catch (error) {
      hosts?.forget();
      void this.end().catch(() => {});
      throw error;
    }
  }

  /** A pooler may drop the start options, or hand out a session that another client has changed. */
  async #check(): Promise<void> {
    const { hosts, isRestricted } = this.#session;
    const { rows } = await this.query<Checked>(CHECK);
    const found = rows[0];
    if (!found) throw new UnusableSession('it does not answer.');
    if (hosts && !found.isWritable) throw new UnusableSession('it takes no writes.');
    if (!isRestricted) return;
    if (found.role !== SERVER_ROLE) {
      throw new UnusableSession(`sessions act as ${found.role} and not as ${SERVER_ROLE}. ${POOLER_ADVICE}`);
    }
    if (!(found.timeoutMs > 0 && found.timeoutMs <= STATEMENT_TIMEOUT_MAX_MS)) {
      throw new UnusableSession(
        `sessions have no statement_timeout below ${STATEMENT_TIMEOUT_MAX_MS} ms. ${POOLER_ADVICE}`,
      );
    }
  }

  /** Ends the session: it would answer the next statement with the answer to this one, or with nothing. */
  noticeSilence(error: unknown): void {
    if (!isSilence(error)) return;
    void this.end().catch(() => {});
    this.#session.onSilence?.();
  }
}

/** What PgBouncer and its like have to be configured with. */
export const POOLER_ADVICE =
  `A connection pooler drops the start options. Configure it to set them on each of its own connections: in PgBouncer, ` +
  `\`connect_query = 'set role ${SERVER_ROLE}; set statement_timeout = ${STATEMENT_TIMEOUT_MS}'\` in [databases] and ` +
  '`ignore_startup_parameters = extra_float_digits, options`.';

// One function for all forms of the method: pools pass a callback, everything else awaits the promise.
Object.assign(DatabaseClient.prototype, {
  query(this: DatabaseClient, ...request: unknown[]): unknown {
    const callback = request.at(-1);
    if (typeof callback === 'function') {
      request[request.length - 1] = (error: unknown, result: unknown) => {
        this.noticeSilence(error);
        Reflect.apply(callback, undefined, [error, result]);
      };
    }
    const result: unknown = Reflect.apply(pg.Client.prototype.query, this, request);
    if (result instanceof Promise) result.catch((error) => this.noticeSilence(error));
    return result;
  },
});

async function checkHost(url: string): Promise<void> {
  const session = {
    ...ownerSession(url, 'rendio-host-check', HOST_TIMEOUT_MS),
    connectionTimeoutMillis: HOST_TIMEOUT_MS,
  };
  const client = new DatabaseClient(session);
  try {
    await client.connect();
    const { rows } = await client.query<Pick<Checked, 'isWritable'>>(`select ${IS_WRITABLE} as "isWritable"`);
    if (!rows[0]?.isWritable) throw new UnusableSession('it takes no writes.');
  } finally {
    void client.end().catch(() => {});
  }
}
