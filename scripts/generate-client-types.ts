import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const CLIENT_TYPES = 'client/src/openapi.ts';

const BANNER = '/** Generated from docs/openapi.json by `npm run generate`: the shapes on the wire. */\n';
const BYTES_MAX = 16 * 1024 * 1024;

/** The client's types for an OpenAPI document, as the text of `CLIENT_TYPES`. `folder` is for temporary files. */
export function generateClientTypes(openApi: unknown, folder: string): string {
  const [document, out] = [join(folder, 'openapi.json'), join(folder, 'openapi.ts')];
  writeFileSync(document, JSON.stringify(openApi));
  // In a process of its own, because it needs the version of TypeScript that is installed beside it.
  const generator = 'client/node_modules/openapi-typescript/bin/cli.js';
  run([generator, document, '--output', out, '--default-non-nullable', 'false']);
  const text = BANNER + readFileSync(out, 'utf8').replace(/^\/\*\*[\s\S]*?\*\/\n/, '');
  return run(['node_modules/@biomejs/biome/bin/biome', 'format', `--stdin-file-path=${CLIENT_TYPES}`], text);
}

function run(args: string[], input = ''): string {
  return execFileSync(process.execPath, args, { input, encoding: 'utf8', maxBuffer: BYTES_MAX });
}
