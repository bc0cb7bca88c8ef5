/**
 * Generates `src/db/procedures.ts`: the procedures that the server may call, and those that are marked with `@owner`, for the command
 * line. Names, arguments and their types come from the
 * database's catalogue, the type of a jsonb result from the `@returns` lines in db/procedures.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type pg from 'pg';

type Argument = { name: string; type: string; isOptional: boolean; isNullable: boolean };
type CatalogueRow = {
  names: string[];
  types: string[];
  modes: string[] | null;
  /** As SQL; null for an argument without a default. */
  defaults: (string | null)[];
  returns: string;
  returns_set: boolean;
};

const TYPES: Record<string, string> = {
  bool: 'boolean',
  bytea: 'Uint8Array',
  float8: 'number',
  inet: 'string',
  int4: 'number',
  int8: 'number',
  json: 'Json',
  jsonb: 'Json',
  date: 'Date',
  numeric: 'number',
  text: 'string',
  timestamptz: 'Date',
  uuid: 'string',
  // The result holds no value.
  void: 'unknown',
};
/** JSON arguments are serialized, so they may be any object. */
const ARGUMENT_TYPES: Record<string, string> = { ...TYPES, json: 'object', jsonb: 'object' };

const HEAD = `/** Written by \`npm run generate\` from the database's catalogue and db/procedures. */
import type { Json } from './generated.ts';
`;

export async function generateProcedures(client: pg.Client): Promise<string> {
  const types: string[] = [];
  const calls: string[] = [];
  const sets: string[] = [];
  const ofOwner: string[] = [];
  for (const file of globSync('db/procedures/*/*.sql').sort((a, b) => basename(a).localeCompare(basename(b)))) {
    const sql = readFileSync(file, 'utf8');
    const { returns, type, isOwners } = annotationsIn(sql);
    if (type) types.push(`export type ${type};`);
    const name = basename(file, '.sql');
    const found = await findFunction(client, name, sql, isOwners);
    if (!found) continue;
    const args = argumentsOf(found);
    const fields = args.map(({ name: arg, type: of, isOptional, isNullable }) => {
      return `      ${arg}${isOptional ? '?' : ''}: ${of}${isNullable ? ' | null' : ''}${isOptional ? ' | undefined' : ''};`;
    });
    const head = `  ${name}: {\n    args: ${fields.length > 0 ? `{\n${fields.join('\n')}\n    }` : 'Record<string, never>'};`;
    if (found.returns_set) sets.push(`${head}\n    row: ${rowOf(found)};\n  };`);
    else (isOwners ? ofOwner : calls).push(`${head}\n    result: ${returns ?? typeOf(found.returns)};\n  };`);
  }
  return [
    HEAD,
    ...types,
    '/** By name: the arguments without their `p_`, and the result. */',
    `export type Procedures = {\n${calls.join('\n')}\n};`,
    '/** Those that only the owner of the tables may call. */',
    `export type OwnerProcedures = {\n${ofOwner.join('\n')}\n};`,
    '/** Procedures that return rows. */',
    `export type SetProcedures = {\n${sets.join('\n')}\n};`,
    '',
  ].join('\n');
}

/** The texts behind `@returns` and `@type` in the comment above the procedure, and whether `@owner` stands there. */
function annotationsIn(sql: string): { returns: string | undefined; type: string | undefined; isOwners: boolean } {
  const comment = sql
    .slice(0, sql.indexOf('create or replace'))
    .split('\n')
    .map((line) => line.replace(/^--\s?/, ''))
    .join('\n');
  const returns = /^@returns ([\s\S]+?)(?=\n@|$(?![\s\S]))/m.exec(comment)?.[1]?.trim();
  const [, name, shape] = /^@type (\w+) ([\s\S]+?)(?=\n@|$(?![\s\S]))/m.exec(comment) ?? [];
  return { returns, type: name && `${name} = ${shape?.trim()}`, isOwners: /^@owner$/m.test(comment) };
}

/** The function of that name with the arguments that its file declares, if the server may call it, or the owner's if it is that. */
async function findFunction(
  client: pg.Client,
  name: string,
  sql: string,
  isOwners: boolean,
): Promise<CatalogueRow | undefined> {
  const { rows } = await client.query<CatalogueRow>(
    `select coalesce(p.proargnames, '{}') as names,
       array(select t.typname::text from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a (oid, n)
         join pg_type t on t.oid = a.oid order by a.n) as types,
       p.proargmodes::text[] as modes,
       array(select pg_get_function_arg_default(p.oid, n) from generate_series(1, p.pronargs) n) as defaults,
       (select typname from pg_type where oid = p.prorettype) as returns,
       p.proretset as returns_set
     from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname = $1
       and has_function_privilege('rendio_server', p.oid, 'EXECUTE') <> $2`,
    [name, isOwners],
  );
  const [declared = ''] = /^create or replace function[\s\S]*?\breturns\b/m.exec(sql) ?? [];
  const names = [...declared.matchAll(/\b(p_\w+)/g)].map(([, arg]) => arg);
  return rows.find((row) => inputsOf(row).length === names.length && inputsOf(row).every((arg) => names.includes(arg)));
}

function inputsOf({ names, modes }: CatalogueRow): string[] {
  return names.filter((_, index) => (modes?.[index] ?? 'i') === 'i');
}

function argumentsOf(row: CatalogueRow): Argument[] {
  return inputsOf(row).map((name, index) => {
    const isOptional = typeof row.defaults[index] === 'string';
    const isNullable = /^NULL\b/i.test(row.defaults[index] ?? '');
    return { name: name.replace(/^p_/, ''), type: typeOf(row.types[index], ARGUMENT_TYPES), isOptional, isNullable };
  });
}

/** The columns of a procedure that returns a table. */
function rowOf({ names, types, modes }: CatalogueRow): string {
  const columns = names.flatMap((name, index) => (modes?.[index] === 't' ? [`${name}: ${typeOf(types[index])}`] : []));
  return `{ ${columns.join('; ')} }`;
}

function typeOf(name: string | undefined, types: Record<string, string> = TYPES): string {
  const type = types[name ?? ''];
  if (!type) throw new Error(`No TypeScript type is known for ${name}; add it to scripts/generate-procedures.ts`);
  return type;
}
