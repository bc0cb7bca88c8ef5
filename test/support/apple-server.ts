/** The tests' own Apple over a port, for servers in processes of their own. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { exportPKCS8, generateKeyPair } from 'jose';
import { BUNDLE_ID, createTestApple, type TestApple } from './apple-id.ts';

export type AppleServer = TestApple & AsyncDisposable & { env: Record<string, string> };

/** `env` makes a server call this Apple, with a key for Sign in with Apple. */
export async function startAppleServer(): Promise<AppleServer> {
  const apple = await createTestApple();
  const server = serve({ fetch: (request) => apple.fetch(request), port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    ...apple,
    env: {
      APPLE_ID_URL: `http://127.0.0.1:${port}`,
      APPLE_BUNDLE_ID: BUNDLE_ID,
      APPLE_TEAM_ID: 'TEAM000000',
      APPLE_SIGNIN_KEY_ID: 'KEY0000000',
      APPLE_SIGNIN_PRIVATE_KEY: await exportPKCS8(privateKey),
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
