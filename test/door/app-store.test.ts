/** Deno, in the newest version and in the one of Supabase's edge runtime, verifies what the App Store has signed as Node does. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, expectStatus } from '../acceptance/support/api.ts';
import { newGuest } from '../acceptance/support/guest.ts';
import { forgeryCases } from '../apple/support/forgeries.ts';
import { startResponder } from '../apple/support/ocsp-responder.ts';
import { onlineCases } from '../apple/support/online.ts';
import { chainCases, MOCK, vectorCases, vectorText } from '../apple/support/vectors.ts';
import { createTestAppStore } from '../support/app-store.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { DENO_VERSIONS, makeIsolateFolder, runProgram, startGateway } from './support/deno.ts';

const PROGRAM = join(import.meta.dirname, 'support/verify-cases.ts');
const TEST_CA = join(import.meta.dirname, '../vectors/apple/certs/testCA.der');
/** The first one has the whole API. */
const FUNCTIONS = ['functions', 'update-credits', 'apple-server-notifications'];

for (const version of DENO_VERSIONS) {
  test(`Deno ${version} judges Apple’s published data, forgeries and revocations as Apple’s library does on Node`, async () => {
    await using responder = await startResponder();
    const cases = [...vectorCases(), ...(await forgeryCases()), ...(await onlineCases(responder))];
    const chains = chainCases();
    const output = await runProgram({ version, program: PROGRAM, input: JSON.stringify({ cases, chains }) });
    const outcomes: { cases: string[]; chains: string[] } = JSON.parse(output);
    for (const [at, { name, expected }] of cases.entries()) assert.equal(outcomes.cases[at], expected, name);
    for (const [at, { name, expected }] of chains.entries()) assert.equal(outcomes.chains[at], expected, name);
  });

  test(`edge functions under Deno ${version} credit a purchase, and take Apple’s test notification alone`, async () => {
    await using database = await createTestDatabase();
    const apple = await createTestAppStore();
    const [roots, dataDir] = [await makeIsolateFolder(), await makeIsolateFolder()];
    await copyFile(TEST_CA, join(roots, 'apple.der'));
    await writeFile(join(roots, 'own.der'), apple.chain.root.der);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const env = {
      DATA_DIR: dataDir,
      SUPABASE_DB_URL: database.url,
      APPLE_ROOT_CERTS: roots,
      APPLE_BUNDLE_ID: MOCK.bundleId,
      APPLE_APP_ID: String(MOCK.appId),
      APPLE_KEY_ID: 'KEY0000000',
      APPLE_ISSUER_ID: '57246542-96fe-1a63-e053-0824d011072a',
      APPLE_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    try {
      await using gateway = await startGateway({ version, env, functions: FUNCTIONS });
      const notify = async (name: string) => {
        const body = { signedPayload: vectorText(`mock_signed_data/${name}`) };
        return (await call('', 'POST', `${gateway.url}/apple-server-notifications`, { body })).status;
      };
      assert.equal(await notify('testNotification'), 200, gateway.output());
      for (const name of ['wrongBundleId', 'missingX5CHeaderClaim', 'transactionInfo', 'renewalInfo'])
        assert.equal(await notify(name), 401, name);
      const { token } = await newGuest(gateway.url);
      const claim = (signed_transaction: string) =>
        call<{ credits_added: number }>('', 'POST', `${gateway.url}/update-credits`, {
          token,
          body: { signed_transaction },
        });
      const bought = await claim(await apple.signTransaction({ bundleId: MOCK.bundleId }));
      assert.equal(expectStatus(bought, 200).body.credits_added, 10);
      const stranger = await createTestAppStore();
      expectStatus(await claim(await stranger.signTransaction({ bundleId: MOCK.bundleId })), 400);
      expectStatus(await claim(vectorText('xcode/xcode-signed-transaction')), 400);
    } finally {
      await rm(roots, { recursive: true });
      await rm(dataDir, { recursive: true, force: true });
    }
  });
}
