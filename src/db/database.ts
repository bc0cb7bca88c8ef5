/** The one door to PostgreSQL: typed reads through Kysely, writes through stored procedures. */
import { Buffer } from 'node:buffer';
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { DB } from './generated.ts';

export type Tables = DB;

/** Values that travel to a procedure; objects and arrays go as JSON. */
export type Argument = string | number | boolean | null | Date | Uint8Array | object | undefined;

export type Database = {
  /** Reads. The role behind it may not write. */
  read: Kysely<Tables>;
  /**
   * Calls one procedure, in a transaction of its own, with named arguments (`undefined` leaves the default).
   * `Result` is what the procedure's comment promises; numbers, strings and jsonb arrive as their JavaScript selves.
   */
  call<Result>(procedure: string, args: Record<string, Argument>): Promise<Result>;
  pool: pg.Pool;
};

const PROCEDURE_NAME = /^[a-z][a-z0-9_]*$/;

/** Bytes and dates are pg's business; other objects are jsonb arguments. */
function encode(value: Argument): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return JSON.stringify(value);
}

/** What a procedure returns is described beside it in SQL, where no type reaches; this is the only place to take its word. */
function resultOf<Result>(row: Record<string, unknown> | undefined): Result {
  return row?.result as Result;
}

export function createDatabase(pool: pg.Pool): Database {
  return {
    read: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    async call<Result>(procedure: string, args: Record<string, Argument>) {
      const given = Object.entries(args).filter(([, value]) => value !== undefined);
      if (![procedure, ...given.map(([name]) => name)].every((name) => PROCEDURE_NAME.test(name))) {
        throw new TypeError(`not a procedure call: ${procedure}`);
      }
      const list = given.map(([name], index) => `p_${name} := $${index + 1}`).join(', ');
      const { rows } = await pool.query(
        `select public.${procedure}(${list}) as result`,
        given.map(([, value]) => encode(value)),
      );
      return resultOf<Result>(rows[0]);
    },
  };
}
