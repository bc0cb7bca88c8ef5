/** Whatever is not signed by Apple for this app is refused, by Apple's library and by the portable checks alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import { createPortableVerifier } from '../../src/apple/app-store/portable-verifier.ts';
import { optionsOf } from './support/case.ts';
import { forgeryCases } from './support/forgeries.ts';

const cases = await forgeryCases();
const VERIFIERS = { 'Apple’s library': createOfficialVerifier, 'the portable verifier': createPortableVerifier };

for (const [name, createVerifier] of Object.entries(VERIFIERS)) {
  for (const given of cases) {
    test(`${name}: ${given.name} is ${given.expected}`, async () => {
      const decoded = await (await createVerifier(optionsOf(given))).decode(given.kind, given.jws);
      assert.equal(decoded.outcome === 'invalid' ? decoded.cause : decoded.outcome, given.expected);
    });
  }
}
