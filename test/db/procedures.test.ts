import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { declaredWords } from '../support/procedures.ts';

const BODIES = new Map(
  globSync('db/procedures/*/*.sql').map((file) => {
    const sql = readFileSync(file, 'utf8');
    return [basename(file, '.sql'), sql.slice(sql.indexOf('create or replace'))];
  }),
);

/** A procedure's SQL with that of every procedure that it calls. */
function sqlOf(name: string, seen = new Set<string>()): string {
  const body = BODIES.get(name) ?? '';
  seen.add(name);
  const called = [...body.matchAll(/public\.(\w+)\(/g)].map((match) => match[1] ?? '');
  return [body, ...called.filter((other) => !seen.has(other)).map((other) => sqlOf(other, seen))].join('\n');
}

test('every word that a procedure’s result type declares is in its SQL', () => {
  const missing: string[] = [];
  for (const [name, words] of declaredWords()) {
    assert.ok(BODIES.has(name), name);
    const sql = sqlOf(name);
    missing.push(...words.filter((word) => !sql.includes(`'${word}'`)).map((word) => `${name}: ${word}`));
  }
  assert.deepEqual(missing, []);
});

test('every outcome that a procedure builds is declared', () => {
  const undeclared: string[] = [];
  let outcomes = 0;
  for (const [name, words] of declaredWords()) {
    for (const [, word = ''] of (BODIES.get(name) ?? '').matchAll(/'outcome',\s*'(\w+)'/g)) {
      outcomes += 1;
      if (!words.includes(word)) undeclared.push(`${name}: ${word}`);
    }
  }
  assert.deepEqual(undeclared, []);
  assert.ok(outcomes > 20, `${outcomes} outcomes were found`);
});
