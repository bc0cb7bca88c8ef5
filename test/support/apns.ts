/** The simulated push service, on a port, and the environment with which a server calls it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApnsSimulator, createApnsSimulator } from '../../sim/apns.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';

export const BUNDLE_ID = 'com.example.app';

export type TestApns = ApnsSimulator & AsyncDisposable & { env: Record<string, string> };

export async function openApns(clock = systemClock): Promise<TestApns> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-apns-'));
  const apns = await createApnsSimulator({ dataDir, clock, log: silentLog, bundleId: BUNDLE_ID });
  const { teamId, keyId, privateKeyPem } = apns.credentials;
  return {
    ...apns,
    env: {
      APPLE_TEAM_ID: teamId,
      APPLE_BUNDLE_ID: BUNDLE_ID,
      APPLE_APNS_KEY_ID: keyId,
      APPLE_APNS_PRIVATE_KEY: privateKeyPem,
      APPLE_APNS_URL: apns.urls.production,
    },
    async [Symbol.asyncDispose]() {
      await apns.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
