/** The files and packages of a program: its own sources, from an entry on, and the packages that they import. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** `specifier` as written; `name` without a path inside the package. */
export type PackageImport = { from: string; name: string; specifier: string };
export type ImportGraph = { files: string[]; packages: PackageImport[]; builtins: PackageImport[] };

export type GraphOptions = {
  /** Only what is loaded with the entry itself: dynamic imports are ignored. */
  staticOnly?: boolean;
};

const STATEMENT = /(?:^|\n)\s*(?:(?:import|export)\b([^'";]*)\bfrom\s*|import\s*)['"]([^'"]+)['"]/g;
const DYNAMIC = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Follows relative imports from the entries on. Imports of types are ignored, because they do not exist at run time. */
export function importGraph(entries: string[], { staticOnly = false }: GraphOptions = {}): ImportGraph {
  const seen = new Set<string>();
  const found: ImportGraph = { files: [], packages: [], builtins: [] };
  const waiting = entries.map((entry) => normalize(entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const specifier of specifiersIn(readFileSync(file, 'utf8'), staticOnly)) {
      if (specifier.startsWith('.')) waiting.push(normalize(join(dirname(file), specifier)));
      else if (specifier.startsWith('node:')) found.builtins.push({ from: file, name: specifier, specifier });
      else found.packages.push({ from: file, name: packageOf(specifier), specifier });
    }
  }
  found.files = [...seen].sort();
  return found;
}

function specifiersIn(source: string, staticOnly: boolean): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const fixed = [...code.matchAll(STATEMENT)].filter(([, clause = '']) => !/^\s*type\b/.test(clause));
  const later = staticOnly ? [] : [...code.matchAll(DYNAMIC)].filter(([, isType]) => !isType);
  return [...fixed, ...later].map(([, , specifier = '']) => specifier);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
