import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFloors, LONG_FUNCTIONS } from '../../scripts/check-floors.ts';

const offences = (files: Record<string, string>) => checkFloors(new Map(Object.entries(files)));
const longFunction = (name: string) => `function ${name}() {\n${'  work();\n'.repeat(70)}}\n`;

describe('the import rules of the floors', () => {
  it('allow a feature to import from lower floors', () => {
    const files = {
      'src/features/credits/balance.ts': `import { x } from '../../db/pool.ts';`,
      'src/db/pool.ts': 'export const x = 1;',
    };
    assert.deepEqual(offences(files), []);
  });

  it('allow the folders of a slice to use its verbs, and its http/ to use src/http', () => {
    const files = {
      'src/features/credits/http/routes.ts': `import { x } from '../../../http/api.ts'; import { y } from '../balance.ts';`,
      'src/features/credits/worker/expire.ts': `import { y } from '../balance.ts';`,
    };
    assert.deepEqual(offences(files), []);
  });

  it('allow a test suite to be longer than the limit for functions', () => {
    assert.deepEqual(offences({ 'test/a.test.ts': `describe('a', () => {\n${'  it();\n'.repeat(100)}});` }), []);
  });

  it('exempt at most five functions, each with a reason', () => {
    assert.ok(Object.keys(LONG_FUNCTIONS).length <= 5);
    for (const reason of Object.values(LONG_FUNCTIONS)) assert.ok(reason.length > 20, reason);
  });

  for (const [name, files] of Object.entries({
    'an import of a higher floor': { 'src/db/pool.ts': `import { x } from '../features/credits/balance.ts';` },
    'a type of a higher floor': { 'src/db/pool.ts': `import type { X } from '../features/credits/balance.ts';` },
    'a feature that imports another feature': {
      'src/features/credits/balance.ts': `import type { X } from '../accounts/profile.ts';`,
    },
    'a gateway that imports another gateway': { 'src/http/range.ts': `import { x } from '../media/store.ts';` },
    'a verb that imports src/http': { 'src/features/credits/balance.ts': `import { x } from '../../http/api.ts';` },
    'a worker that imports src/http': {
      'src/features/credits/worker/x.ts': `import { x } from '../../../http/api.ts';`,
    },
    'a verb that imports its slice’s http/': {
      'src/features/credits/balance.ts': `import { x } from './http/routes.ts';`,
    },
    'folders of a slice that import each other': {
      'src/features/credits/http/routes.ts': `import { x } from '../worker/tasks.ts';`,
    },
    'an unknown folder': { 'src/misc/a.ts': '' },
    'a simulator in production code': { 'src/app/context.ts': `const sim = await import('../../sim/world.ts');` },
    'a simulator that imports the server': { 'sim/fal.ts': `import type { X } from '../src/app/config.ts';` },
    'a page that imports the server': { 'web/playground/src/a.tsx': `import { x } from '../../../src/kernel/ids.ts';` },
    'a client import of one of its higher folders': {
      'client/src/http/a.ts': `import type { X } from '../session/b.ts';`,
    },
    'a feature that imports the client': {
      'src/features/credits/balance.ts': `import { createClient } from '../../../client/src/index.ts';`,
    },
    'a verb that reads the environment': { 'src/features/credits/balance.ts': 'const x = process.env.X;' },
    'a verb that reads the clock': { 'src/features/credits/balance.ts': 'const x = Date.now();' },
    'a verb that makes its own ids': { 'src/features/credits/balance.ts': 'const x = crypto.randomUUID();' },
    'a verb that calls the network by itself': { 'src/apple/identity.ts': `await fetch('https://appleid.apple.com');` },
    'an import cycle': {
      'src/kernel/a.ts': `import { b } from './b.ts';`,
      'src/kernel/b.ts': `export { a } from './a.ts';`,
    },
    'an import cycle of types': {
      'web/a.ts': `import type { B } from './b.ts';`,
      'web/b.ts': `export type B = import('./a.ts').A;`,
    },
    'a file that is too long': { 'src/kernel/long.ts': '\n'.repeat(300) },
    'a function that is too long': { 'src/kernel/a.ts': longFunction('work') },
    'a test that is too long': {
      'test/a.test.ts': `describe('a', () => it('b', () => {${'\n work();'.repeat(71)} }));`,
    },
  })) {
    it(`report ${name}`, () => assert.equal(offences(files).length, 1));
  }
});
