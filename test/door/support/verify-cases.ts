/** Runs under Deno: verifies the cases that it is given on standard input, and prints what came of each as JSON. */
import { parseCertificate } from '../../../src/apple/app-store/certificate.ts';
import { chainIn, judgeChain } from '../../../src/apple/app-store/chain.ts';
import { createPortableVerifier } from '../../../src/apple/app-store/portable-verifier.ts';
import { type Case, type ChainCase, optionsOf } from '../../apple/support/case.ts';

const input: { cases: Case[]; chains: ChainCase[] } = JSON.parse(await text());

async function text(): Promise<string> {
  const { stdin } = Reflect.get(globalThis, 'Deno');
  return new Response(stdin.readable).text();
}

async function outcomeOf(given: Case): Promise<string> {
  const decoded = await (await createPortableVerifier(optionsOf(given))).decode(given.kind, given.jws);
  return decoded.outcome === 'invalid' ? decoded.cause : decoded.outcome;
}

function judge({ x5c, roots, nowMs }: ChainCase): string {
  const trusted = roots.map((root) =>
    parseCertificate(Uint8Array.from(atob(root), (character) => character.charCodeAt(0))),
  );
  const chain = chainIn(x5c);
  const judged = chain ? judgeChain(chain, trusted, new Date(nowMs)) : { fault: 'INVALID_CERTIFICATE' };
  return 'fault' in judged ? judged.fault : 'valid';
}

const cases = [];
for (const given of input.cases) cases.push(await outcomeOf(given));
console.log(JSON.stringify({ cases, chains: input.chains.map(judge) }));
