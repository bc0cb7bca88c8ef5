// Builds the package twice: as ECMAScript modules in dist, and for `require` in dist/cjs.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.build.json', 'tsconfig.cjs.json']) {
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
}
// The compiler rewrites specifiers in programs only; older compilers do not find a declaration by `.ts`.
for (const name of readdirSync('dist', { recursive: true }).filter((each) => each.endsWith('.d.ts'))) {
  const file = join('dist', name);
  const types = readFileSync(file, 'utf8');
  writeFileSync(file, types.replace(/(from |import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2'));
}
// Without it, the package's own `"type": "module"` would apply there.
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
