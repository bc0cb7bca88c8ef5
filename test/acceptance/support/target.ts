/** The server under test, known by its base URL alone. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before } from 'node:test';
import { beforeTeardown, createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

/** If set, the suite runs against this server and skips the tests that need their own server. */
export const GIVEN_URL = process.env.ACCEPTANCE_URL?.replace(/\/+$/, '') || undefined;

/** For tests that need their own configuration: `describe(name, OWN_SERVER, …)`. */
export const OWN_SERVER = { skip: GIVEN_URL ? 'needs a server with its own configuration' : false };

export type Target = {
  /** Without a slash at its end. */
  readonly url: string;
};

/** ACCEPTANCE_URL, or the run's shared server, or else one that runs from the file's first test to its last. */
export function useTarget(): Target {
  const url = GIVEN_URL ?? process.env.RENDIO_TEST_SERVER_URL;
  return url ? { url } : useServer();
}

/**
 * A server with these variables and its own database in the run's PostgreSQL, from the first test of the surrounding
 * suite to its last.
 */
export function useServer(env: Record<string, string> | (() => Promise<Record<string, string>>) = {}): Target & {
  readonly server: TestServer;
} {
  let database: TestDatabase | undefined;
  let server: TestServer | undefined;
  before(async () => {
    database = await createTestDatabase();
    server = await startTestServer({
      env: { DATABASE_URL: database.url, ...(typeof env === 'function' ? await env() : env) },
    });
  });
  let ended: Promise<void> | undefined;
  const end = async () => {
    await server?.stop();
    await database?.[Symbol.asyncDispose]();
  };
  const endOnce = () => {
    ended ??= end();
    return ended;
  };
  after(endOnce);
  beforeTeardown(endOnce);
  const running = () => {
    if (!server) throw new Error('the server starts with the first test');
    return server;
  };
  return {
    get url() {
      return running().url;
    },
    get server() {
      return running();
    },
  };
}

/** A port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
