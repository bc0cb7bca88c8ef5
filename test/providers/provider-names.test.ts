import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MANIFESTS } from '../../src/providers/manifests.ts';

/** A provider's own folder, the environments of APNs, one of which has a provider's name, and the examples of the OpenAPI document. */
const MAY_NAME = [/^src\/providers\/[^/]+\//, /^src\/push\//, /^src\/features\/[^/]+\/http\//];

test('a provider is named only in its own folder, in its manifest', () => {
  const names = MANIFESTS.map(({ name }) => name);
  const literal = new RegExp(`(['"\`])(?:${names.join('|')})\\1`);
  const others = globSync('src/**/*.ts').filter((file) => !MAY_NAME.some((pattern) => pattern.test(file)));
  assert.ok(others.length > 100, `${others.length} files`);
  const naming = others.filter((file) => {
    return literal.test(readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));
  });
  assert.deepEqual(naming, []);
});
