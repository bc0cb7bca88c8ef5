/** Under Apple's own root certificates are checked online: what each answer of their responder means. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import { createPortableVerifier } from '../../src/apple/app-store/portable-verifier.ts';
import type { Decoded } from '../../src/apple/app-store/signed-data.ts';
import { makeCertificate, makeChain, signWith, x5cOf } from '../support/apple-chain.ts';
import { optionsOf } from './support/case.ts';
import { startResponder } from './support/ocsp-responder.ts';
import { onlineCase, onlineCases } from './support/online.ts';

const responder = await startResponder();
after(() => responder[Symbol.asyncDispose]());
const cases = await onlineCases(responder);
const VERIFIERS = { 'Apple’s library': createOfficialVerifier, 'the portable verifier': createPortableVerifier };
const outcomeOf = (decoded: Decoded) => (decoded.outcome === 'invalid' ? decoded.cause : decoded.outcome);

for (const [name, createVerifier] of Object.entries(VERIFIERS)) {
  for (const given of cases) {
    test(`${name}: ${given.name} is ${given.expected}`, async () => {
      const decoded = await (await createVerifier(optionsOf(given))).decode(given.kind, given.jws);
      assert.equal(outcomeOf(decoded), given.expected, JSON.stringify(decoded));
    });
  }

  test(`${name} believes no responder that may not answer`, async () => {
    for (const leaf of ['by-an-unmarked', 'by-the-issuer', 'huge'] as const) {
      const given = await onlineCase(responder, leaf, '', { leaf });
      const decoded = await (await createVerifier(optionsOf(given))).decode(given.kind, given.jws);
      assert.notEqual(decoded.outcome, 'valid', leaf);
    }
  });

  test(`${name} asks once for a chain, and asks again after a failure`, async () => {
    const given = await onlineCase(responder, '', 'valid');
    const verifier = await createVerifier(optionsOf(given));
    const before = responder.asked();
    for (let time = 0; time < 3; time += 1)
      assert.equal((await verifier.decode(given.kind, given.jws)).outcome, 'valid');
    assert.equal(responder.asked() - before, 2, 'the leaf and the intermediate');
    const failing = await onlineCase(responder, '', 'unreachable', { leaf: 'failing' });
    const other = await createVerifier(optionsOf(failing));
    for (let time = 0; time < 2; time += 1)
      assert.equal((await other.decode(failing.kind, failing.jws)).outcome, 'unreachable');
    assert.equal(responder.asked() - before, 6);
  });
}

test('Apple’s library goes on after more chains than its cache can be cleared of', async () => {
  const common = { ocspUrl: responder.url('good') };
  const { root, intermediate } = await makeChain({ intermediate: common });
  await Promise.all([responder.serve(root), responder.serve(intermediate)]);
  const given = await onlineCase(responder, '', 'valid');
  const verifier = await createOfficialVerifier({ ...optionsOf(given), roots: [root.der] });
  for (let count = 0; count < 35; count += 1) {
    const marker = '1.2.840.113635.100.6.11.1';
    const leaf = await makeCertificate({ subject: 'CN=Test Leaf', issuer: intermediate, marker, ...common });
    const payload = { bundleId: given.bundleId, environment: given.environment, signedDate: Date.now() };
    const jws = await signWith({ root, intermediate, leaf }, payload, { x5c: x5cOf(leaf, intermediate, root) });
    assert.equal((await verifier.decode('transaction', jws)).outcome, 'valid', `chain ${count}`);
  }
});

test('the portable verifier asks again after a quarter of an hour', async () => {
  const given = await onlineCase(responder, '', 'valid');
  let nowMs = Date.now();
  const verifier = await createPortableVerifier({ ...optionsOf(given), clock: { now: () => new Date(nowMs) } });
  const before = responder.asked();
  for (const minutes of [0, 14, 2]) {
    nowMs += minutes * 60_000;
    assert.equal((await verifier.decode(given.kind, given.jws)).outcome, 'valid');
  }
  assert.equal(responder.asked() - before, 4);
});
