import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFloors, LONG_FUNCTIONS } from '../../scripts/check-floors.ts';

const offences = (files: Record<string, string>) => checkFloors(new Map(Object.entries(files)));
const longFunction = (name: string) => `function ${name}() {\n${'  work();\n'.repeat(70)}}\n`;

describe('the floors', () => {
  it('let a feature import what is below it', () => {
    const files = {
      'src/features/credits/balance.ts': `import { x } from '../../db/pool.ts';`,
      'src/db/pool.ts': 'export const x = 1;',
    };
    assert.deepEqual(offences(files), []);
  });

  it('let the rooms of a slice use its verbs, and http/ the gateway of that name', () => {
    const files = {
      'src/features/credits/http/routes.ts': `import { x } from '../../../http/api.ts'; import { y } from '../balance.ts';`,
      'src/features/credits/worker/expire.ts': `import { y } from '../balance.ts';`,
    };
    assert.deepEqual(offences(files), []);
  });

  it('let a suite of tests be as long as its tests', () => {
    assert.deepEqual(offences({ 'test/a.test.ts': `describe('a', () => {\n${'  it();\n'.repeat(100)}});` }), []);
  });

  it('excuse at most five functions, each for a reason', () => {
    assert.ok(Object.keys(LONG_FUNCTIONS).length <= 5);
    for (const reason of Object.values(LONG_FUNCTIONS)) assert.ok(reason.length > 20, reason);
  });

  for (const [name, files] of Object.entries({
    'an import that climbs': { 'src/db/pool.ts': `import { x } from '../features/credits/balance.ts';` },
    'a type that climbs': { 'src/db/pool.ts': `import type { X } from '../features/credits/balance.ts';` },
    'a feature that knows another': {
      'src/features/credits/balance.ts': `import type { X } from '../accounts/profile.ts';`,
    },
    'a gateway that knows its neighbour': { 'src/http/range.ts': `import { x } from '../media/store.ts';` },
    'a verb that speaks HTTP': { 'src/features/credits/balance.ts': `import { x } from '../../http/api.ts';` },
    'a worker that speaks HTTP': { 'src/features/credits/worker/x.ts': `import { x } from '../../../http/api.ts';` },
    'a verb that knows a room of its slice': {
      'src/features/credits/balance.ts': `import { x } from './http/routes.ts';`,
    },
    'rooms of a slice that know each other': {
      'src/features/credits/http/routes.ts': `import { x } from '../worker/tasks.ts';`,
    },
    'a folder that no floor names': { 'src/misc/a.ts': '' },
    'a simulator in production code': { 'src/app/context.ts': `const sim = await import('../../sim/world.ts');` },
    'a simulator that knows the server': { 'sim/fal.ts': `import type { X } from '../src/app/config.ts';` },
    'a page that knows the server': { 'web/playground/src/a.tsx': `import { x } from '../../../src/kernel/ids.ts';` },
    'a client that climbs its own floors': { 'client/src/http/a.ts': `import type { X } from '../session/b.ts';` },
    'a feature that is a client of the server': {
      'src/features/credits/balance.ts': `import { createClient } from '../../../client/src/index.ts';`,
    },
    'a verb that reads the environment': { 'src/features/credits/balance.ts': 'const x = process.env.X;' },
    'a verb that reads the clock': { 'src/features/credits/balance.ts': 'const x = Date.now();' },
    'a verb that makes its own ids': { 'src/features/credits/balance.ts': 'const x = crypto.randomUUID();' },
    'a verb that calls the network by itself': { 'src/apple/identity.ts': `await fetch('https://appleid.apple.com');` },
    'a circle': {
      'src/kernel/a.ts': `import { b } from './b.ts';`,
      'src/kernel/b.ts': `export { a } from './a.ts';`,
    },
    'a circle of types': {
      'web/a.ts': `import type { B } from './b.ts';`,
      'web/b.ts': `export type B = import('./a.ts').A;`,
    },
    'a file that is several': { 'src/kernel/long.ts': '\n'.repeat(300) },
    'a function that fits no screen': { 'src/kernel/a.ts': longFunction('work') },
    'a test that fits no screen': {
      'test/a.test.ts': `describe('a', () => it('b', () => {${'\n work();'.repeat(71)} }));`,
    },
  })) {
    it(`do not bear ${name}`, () => assert.equal(offences(files).length, 1));
  }
});
