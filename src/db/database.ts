/** Access to PostgreSQL: typed reads through Kysely, writes through stored procedures. */
import { Buffer } from 'node:buffer';
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { createBoundedSemaphore } from '../kernel/bounded-semaphore.ts';
import type { DB } from './generated.ts';
import type { OwnerProcedures, Procedures, SetProcedures } from './procedures.ts';
import { CONNECT_TIMEOUT_MS } from './session.ts';

export type ProcedureName = keyof Procedures;
export type ArgumentsOf<Name extends ProcedureName> = Procedures[Name]['args'];
export type ResultOf<Name extends ProcedureName> = Procedures[Name]['result'];

type SetName = keyof SetProcedures;

export type Database = {
  /** Reads only: its role may not write. */
  read: Kysely<DB>;
  /**
   * Calls one procedure, in a transaction of its own, with named arguments (`undefined` leaves the default). Numbers, strings
   * and jsonb are returned as JavaScript values.
   */
  call<Name extends ProcedureName>(procedure: Name, args: ArgumentsOf<Name>): Promise<ResultOf<Name>>;
  /** Calls a procedure that returns rows. */
  rows<Name extends SetName>(procedure: Name, args: SetProcedures[Name]['args']): Promise<SetProcedures[Name]['row'][]>;
  pool: pg.Pool;
  /** How many statements wait for a session. */
  waiting(): number;
};

const PROCEDURE_NAME = /^[a-z][a-z0-9_]*$/;

/** Bytes and dates are encoded by pg; other objects are jsonb arguments. */
function encode(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return JSON.stringify(value);
}

/** The result has the type that the procedure's file declares; the tests check every result against it. */
function resultOf<Result>(row: Record<string, unknown> | undefined): Result {
  return row?.result as Result;
}

function statementFor(procedure: string, args: object): { call: string; values: unknown[] } {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  if (![procedure, ...given.map(([name]) => name)].every((name) => PROCEDURE_NAME.test(name))) {
    throw new TypeError(`not a procedure call: ${procedure}`);
  }
  const list = given.map(([name], index) => `p_${name} := $${index + 1}`).join(', ');
  return { call: `public.${procedure}(${list})`, values: given.map(([, value]) => encode(value)) };
}

/** Calls of the owner of the tables, who may call every procedure. */
export type OwnerCall = <Name extends keyof (OwnerProcedures & Procedures)>(
  procedure: Name,
  args: (OwnerProcedures & Procedures)[Name]['args'],
) => Promise<(OwnerProcedures & Procedures)[Name]['result']>;

/** Calls procedures as the owner, by statements that `query` sends in an owner's session. */
export function createOwnerCall(query: (text: string, values: unknown[]) => Promise<pg.QueryResult>): OwnerCall {
  return async (procedure, args) => {
    const { call, values } = statementFor(procedure, args);
    const { rows } = await query(`select ${call} as result`, values);
    return resultOf(rows[0]);
  };
}

/** Calls procedures by statements that `query` sends. */
export function createCall(query: (text: string, values: unknown[]) => Promise<pg.QueryResult>): Database['call'] {
  return async <Name extends ProcedureName>(procedure: Name, args: ArgumentsOf<Name>) => {
    const { call, values } = statementFor(procedure, args);
    const { rows } = await query(`select ${call} as result`, values);
    return resultOf<ResultOf<Name>>(rows[0]);
  };
}

/** Writes wait for locks, and for a standby that is away. These sessions stay free for reads. */
const READS_SHARE = 0.3;

export function createDatabase(pool: pg.Pool): Database {
  const slots = pool.options.max - Math.ceil(pool.options.max * READS_SHARE);
  // As long as the pool itself lets a statement wait for a connection.
  const limits = { slots: Math.max(1, slots), waitingMax: Number.POSITIVE_INFINITY, waitMs: CONNECT_TIMEOUT_MS };
  const writes = createBoundedSemaphore(limits);
  return {
    read: new Kysely<DB>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    waiting: () => pool.waitingCount + writes.waiting,
    call: createCall((text, values) => writes.run(() => pool.query(text, values))),
    async rows<Name extends SetName>(procedure: Name, args: SetProcedures[Name]['args']) {
      const { call, values } = statementFor(procedure, args);
      const { rows } = await writes.run(() =>
        pool.query<SetProcedures[Name]['row'] & pg.QueryResultRow>(`select * from ${call}`, values),
      );
      return rows;
    },
  };
}
