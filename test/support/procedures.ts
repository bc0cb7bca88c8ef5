/** Calls procedures, also those of the owner alone, and checks each result against its declared type. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import ts from '../../client/node_modules/typescript/lib/typescript.js';
import type { Database } from '../../src/db/database.ts';

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
  const type = declarations().results.get(procedure);
  assert.ok(type, `${procedure} is not declared`);
  assert.ok(admits(type, result), `${procedure} returned what it does not declare: ${JSON.stringify(result)}`);
}

/** The string literals in each procedure's declared result; the SQL of the procedure must contain them all. */
export function declaredWords(): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const [name, type] of declarations().results) {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteral(node)) found.push(node.text);
      ts.forEachChild(node, visit);
    };
    visit(type);
    words.set(name, found);
  }
  return words;
}

type Declarations = { results: Map<string, ts.TypeNode>; types: Map<string, ts.TypeNode> };
let known: Declarations | undefined;

function declarations(): Declarations {
  known ??= readDeclarations();
  return known;
}

function readDeclarations(): Declarations {
  const file = 'src/db/procedures.ts';
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const types = new Map<string, ts.TypeNode>();
  for (const statement of source.statements) {
    if (ts.isTypeAliasDeclaration(statement)) types.set(statement.name.text, statement.type);
  }
  const results = new Map<string, ts.TypeNode>();
  for (const [name, type] of membersOf(types.get('Procedures'))) {
    const result = new Map(membersOf(type)).get('result');
    if (result) results.set(name, result);
  }
  return { results, types };
}

function membersOf(type: ts.TypeNode | undefined): [string, ts.TypeNode][] {
  if (!type || !ts.isTypeLiteralNode(type)) return [];
  return type.members.flatMap((member): [string, ts.TypeNode][] =>
    ts.isPropertySignature(member) && member.type ? [[member.name.getText(), member.type]] : [],
  );
}

const KEYWORDS: Partial<Record<ts.SyntaxKind, (value: unknown) => boolean>> = {
  [ts.SyntaxKind.StringKeyword]: (value) => typeof value === 'string',
  [ts.SyntaxKind.NumberKeyword]: (value) => typeof value === 'number',
  [ts.SyntaxKind.BooleanKeyword]: (value) => typeof value === 'boolean',
  [ts.SyntaxKind.UnknownKeyword]: () => true,
};

/** Whether the value has the type, with no key missing and none added. */
function admits(type: ts.TypeNode, value: unknown): boolean {
  if (ts.isParenthesizedTypeNode(type)) return admits(type.type, value);
  if (ts.isUnionTypeNode(type)) return type.types.some((member) => admits(member, value));
  if (ts.isArrayTypeNode(type)) return Array.isArray(value) && value.every((item) => admits(type.elementType, item));
  if (ts.isLiteralTypeNode(type)) return JSON.stringify(value) === type.literal.getText().replaceAll("'", '"');
  if (ts.isTypeReferenceNode(type)) {
    const name = type.typeName.getText();
    const alias = declarations().types.get(name);
    return name === 'Json' ? value !== undefined : alias !== undefined && admits(alias, value);
  }
  if (ts.isTypeLiteralNode(type)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const members = new Map(membersOf(type));
    const entries = Object.entries(value);
    return (
      entries.length === members.size &&
      entries.every(([key, item]) => {
        const member = members.get(key);
        return member !== undefined && admits(member, item);
      })
    );
  }
  return KEYWORDS[type.kind]?.(value) ?? false;
}
