/** Documents may not speak of what is not there: every path, npm script and variable they name must exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SCRIPTS: Record<string, string> = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
const NATIVE = ['ci', 'start', 'test', 'install', 'pack'];

function brokenIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );
  const paths = [...text.matchAll(/`((?:src|db|docs|test|sim|scripts|bench|web|assets)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  );
  const scripts = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name);
  return [
    ...[...links, ...paths].filter((path) => !existsSync(path)).map((path) => `${file}: there is no ${path}`),
    ...scripts
      .filter((name) => !SCRIPTS[name] && !NATIVE.includes(name))
      .map((name) => `${file}: there is no npm run ${name}`),
  ];
}

/** Architecture records tell of their day and are never edited, so they are not held to today's tree. */
export function checkDocs(): string[] {
  return globSync(['*.md', 'docs/**/*.md'])
    .filter((file) => !file.startsWith('docs/adr/') && file !== 'CHANGELOG.md')
    .sort()
    .flatMap(brokenIn);
}
