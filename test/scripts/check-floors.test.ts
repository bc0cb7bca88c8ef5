import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFloors } from '../../scripts/check-floors.ts';

const offences = (files: Record<string, string>) => checkFloors(new Map(Object.entries(files)));

describe('the floors', () => {
  it('let a feature import what is below it', () => {
    const files = {
      'src/features/credits/balance.ts': `import { x } from '../../db/pool.ts';`,
      'src/db/pool.ts': 'export const x = 1;',
    };
    assert.deepEqual(offences(files), []);
  });

  for (const [name, files] of Object.entries({
    'an import that climbs': { 'src/db/pool.ts': `import { x } from '../features/credits/balance.ts';` },
    'a feature that knows another': {
      'src/features/credits/balance.ts': `import type { X } from '../accounts/profile.ts';`,
    },
    'a gateway that knows its neighbour': { 'src/http/range.ts': `import { x } from '../media/store.ts';` },
    'a verb that speaks HTTP': { 'src/features/credits/balance.ts': `import { x } from '../../http/api.ts';` },
    'a simulator in production code': { 'src/app/context.ts': `const sim = await import('../../sim/world.ts');` },
    'a feature that is a client of the server': {
      'src/features/credits/balance.ts': `import { createClient } from '../../../client/src/index.ts';`,
    },
    'a verb that reads the environment': { 'src/features/credits/balance.ts': 'const x = process.env.X;' },
    'a verb that looks at the clock': { 'src/features/credits/balance.ts': 'const x = Date.now();' },
    'a verb that calls the network by itself': { 'src/apple/identity.ts': `await fetch('https://appleid.apple.com');` },
    'a circle': {
      'src/kernel/a.ts': `import { b } from './b.ts';`,
      'src/kernel/b.ts': `export { a } from './a.ts';`,
    },
    'a file that is several': { 'src/kernel/long.ts': '\n'.repeat(300) },
  })) {
    it(`do not bear ${name}`, () => assert.equal(offences(files).length, 1));
  }
});
