/** Calls procedures, also those of the owner alone, and checks each result against its declared type. */
import assert from 'node:assert/strict';
import type pg from 'pg';
import type { Database } from '../../src/db/database.ts';
import { readDeclarations, type Shape } from './declarations.ts';

const declared = await readDeclarations();

/** Calls any procedure as the owner of the tables: also those that the server may not call. */
export async function callAsOwner(owner: pg.Pool, procedure: string, args: Record<string, unknown>): Promise<unknown> {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  const list = given.map(([name], index) => `p_${name} := $${index + 1}`).join(', ');
  const values = given.map(([, value]) => value);
  const { rows } = await owner.query(`select public.${procedure}(${list}) as result`, values);
  return rows[0].result;
}

export async function addCredits(owner: pg.Pool, userId: string, amount: number): Promise<void> {
  await callAsOwner(owner, 'add_credits', { user_id: userId, amount, reason: 'iap_purchase' });
}

/** Claims the next attempt of a job and returns its id; fails if there is none to claim. */
export async function claimAttempt(db: Database, jobId: string): Promise<string> {
  const attempt = await db.call('begin_attempt', { job_id: jobId });
  assert.ok('attempt_id' in attempt, attempt.outcome);
  return attempt.attempt_id;
}

/** Checks each procedure's result against its type in src/db/procedures.ts, key by key. */
export function checkResults(db: Database): Database {
  const call = db.call.bind(db);
  return Object.assign(db, {
    call: async (...request: Parameters<Database['call']>) => {
      const result: unknown = await call(...request);
      assertDeclared(request[0], result);
      return result;
    },
  });
}

export function assertDeclared(procedure: string, result: unknown): void {
  const type = declared.results[procedure];
  assert.ok(type, `${procedure} is not declared`);
  assert.ok(admits(type, result), `${procedure} returned what it does not declare: ${JSON.stringify(result)}`);
}

/** The string literals in each procedure's declared result; the SQL of the procedure must contain them all. */
export function declaredWords(): Map<string, string[]> {
  return new Map(Object.entries(declared.results).map(([name, shape]) => [name, wordsIn(shape)]));
}

function wordsIn(shape: Shape): string[] {
  if ('literal' in shape) return /^"/.test(shape.literal) ? [JSON.parse(shape.literal)] : [];
  if ('union' in shape) return shape.union.flatMap(wordsIn);
  if ('items' in shape) return wordsIn(shape.items);
  return 'members' in shape ? Object.values(shape.members).flatMap(wordsIn) : [];
}

const KEYWORDS: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  unknown: () => true,
  Json: (value) => value !== undefined,
};

/** Whether the value has the type, with no key missing and none added. */
function admits(shape: Shape, value: unknown): boolean {
  if ('union' in shape) return shape.union.some((member) => admits(member, value));
  if ('items' in shape) return Array.isArray(value) && value.every((item) => admits(shape.items, item));
  if ('literal' in shape) return JSON.stringify(value) === shape.literal;
  if ('name' in shape) {
    const alias = declared.types[shape.name];
    return KEYWORDS[shape.name]?.(value) ?? (alias !== undefined && admits(alias, value));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length === Object.keys(shape.members).length &&
    entries.every(([key, item]) => {
      const member = shape.members[key];
      return member !== undefined && admits(member, item);
    })
  );
}
