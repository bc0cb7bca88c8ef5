/** Deno, in the newest version and in the one of Supabase's edge runtime, verifies what the App Store has signed as Node does. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgeryCases } from '../apple/support/forgeries.ts';
import { startResponder } from '../apple/support/ocsp-responder.ts';
import { onlineCases } from '../apple/support/online.ts';
import { chainCases, vectorCases } from '../apple/support/vectors.ts';
import { DENO_VERSIONS, runProgram } from './support/deno.ts';

const PROGRAM = join(import.meta.dirname, 'support/verify-cases.ts');

for (const version of DENO_VERSIONS) {
  test(`Deno ${version} judges Apple’s published data, and forgeries, as Apple’s library does on Node`, async () => {
    await using responder = await startResponder();
    const cases = [...vectorCases(), ...(await forgeryCases()), ...(await onlineCases(responder))];
    const chains = chainCases();
    const output = await runProgram({ version, program: PROGRAM, input: JSON.stringify({ cases, chains }) });
    const outcomes: { cases: string[]; chains: string[] } = JSON.parse(output);
    for (const [at, { name, expected }] of cases.entries()) assert.equal(outcomes.cases[at], expected, name);
    for (const [at, { name, expected }] of chains.entries()) assert.equal(outcomes.chains[at], expected, name);
  });
}
