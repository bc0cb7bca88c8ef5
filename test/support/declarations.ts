/** The results' types of `src/db/procedures.ts`, as data. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import type ts from '../../client/node_modules/typescript/lib/typescript.js';

export type Shape =
  | { union: Shape[] }
  | { items: Shape }
  | { members: Record<string, Shape> }
  /** In JSON. */
  | { literal: string }
  /** A keyword, or another type of the file. */
  | { name: string };
/** By name: the result of each procedure, and every type of the file. */
export type Declarations = { results: Record<string, Shape>; types: Record<string, Shape> };

const SOURCE = 'src/db/procedures.ts';
const FOLDER = 'node_modules/.cache/declarations';

/** Kept from run to run: to load the compiler costs each process more than to start it. */
export async function readDeclarations(): Promise<Declarations> {
  const [text, self] = await Promise.all([readFile(SOURCE, 'utf8'), readFile(new URL(import.meta.url), 'utf8')]);
  const file = `${FOLDER}/${createHash('sha256').update(text).update(self).digest('hex')}.json`;
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return JSON.parse(kept);
  const declarations = await parse(text);
  await mkdir(FOLDER, { recursive: true });
  // Renamed whole: other processes may read it at this moment.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(declarations));
  await rename(draft, file);
  return declarations;
}

async function parse(text: string): Promise<Declarations> {
  const { default: compiler } = await import('../../client/node_modules/typescript/lib/typescript.js');
  const source = compiler.createSourceFile(SOURCE, text, compiler.ScriptTarget.Latest, true);
  const types: Record<string, Shape> = {};
  for (const statement of source.statements) {
    if (compiler.isTypeAliasDeclaration(statement)) types[statement.name.text] = shapeOf(compiler, statement.type);
  }
  const { Procedures } = types;
  const procedures = Procedures && 'members' in Procedures ? Procedures.members : {};
  const results: Record<string, Shape> = {};
  for (const [name, shape] of Object.entries(procedures)) {
    if ('members' in shape && shape.members.result) results[name] = shape.members.result;
  }
  return { results, types };
}

function shapeOf(compiler: typeof ts, type: ts.TypeNode): Shape {
  const shape = (node: ts.TypeNode) => shapeOf(compiler, node);
  if (compiler.isParenthesizedTypeNode(type)) return shape(type.type);
  if (compiler.isUnionTypeNode(type)) return { union: type.types.map(shape) };
  if (compiler.isArrayTypeNode(type)) return { items: shape(type.elementType) };
  if (compiler.isLiteralTypeNode(type)) return { literal: type.literal.getText().replaceAll("'", '"') };
  if (compiler.isTypeLiteralNode(type)) {
    const members = type.members.flatMap((member): [string, Shape][] =>
      compiler.isPropertySignature(member) && member.type ? [[member.name.getText(), shape(member.type)]] : [],
    );
    return { members: Object.fromEntries(members) };
  }
  return { name: type.getText() };
}
