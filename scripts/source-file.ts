/** Reads from a source file what the checks need: its imports, including those of types, and the length of its functions. */
import { dirname, join, normalize } from 'node:path/posix';
// The client's own compiler: version 7, which the root uses, offers no parser.
import ts from '../client/node_modules/typescript/lib/typescript.js';

export type SourceFunction = { name: string; line: number; lines: number };
export type SourceFile = { imports: string[]; functions: SourceFunction[] };

/** The only package of this repository that is imported by its name. */
const OWN_PACKAGES: Record<string, string> = { '@rendio/client': 'client/src/index.ts' };
/** Blocks of tests: containers, not functions. */
const SUITES = new Set(['describe', 'suite']);

/** `imports` are paths of this repository. */
export function parseSource(file: string, text: string): SourceFile {
  const kind = file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kind);
  const imports = new Set<string>();
  const functions: SourceFunction[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    const target = specifier && pathOf(file, specifier);
    if (target) imports.add(target);
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !isSuite(node)) functions.push(measure(source, node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { imports: [...imports], functions };
}

/** Of an import, a re-export, a dynamic import or an `import('…').Type`. */
function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node)) return textOf(node.argument);
  if (ts.isLiteralTypeNode(node)) return undefined;
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  const literal = node && ts.isLiteralTypeNode(node) ? node.literal : node;
  return literal && ts.isStringLiteralLike(literal) ? literal.text : undefined;
}

function pathOf(file: string, specifier: string): string | undefined {
  const own = OWN_PACKAGES[specifier];
  return own ?? (/^\..*\.tsx?$/.test(specifier) ? normalize(join(dirname(file), specifier)) : undefined);
}

function isSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && SUITES.has(node.parent.expression.getText().split('.')[0] ?? '');
}

function measure(source: ts.SourceFile, node: ts.Node): SourceFunction {
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const line = lineAt(node.getStart());
  return { name: nameOf(node), line, lines: lineAt(node.end) - line + 1 };
}

function nameOf(node: ts.Node): string {
  const named = 'name' in node ? node : node.parent;
  const name = 'name' in named ? (named.name as ts.Node | undefined) : undefined;
  return name ? name.getText() : 'a function without a name';
}
