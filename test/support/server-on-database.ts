import { beforeTeardown, createTestDatabase } from './postgres.ts';
import { startTestServer, type TestServer } from './server.ts';

/**
 * Starts the real server on a database of its own in the run's PostgreSQL, until it is stopped or the file ends: a cluster
 * of its own costs as much again. For tests that neither kill the server nor start another on its data.
 */
export async function startServerOnDatabase({ env = {} }: { env?: Record<string, string> } = {}): Promise<TestServer> {
  const database = await createTestDatabase();
  const server = await startTestServer({ env: { DATABASE_URL: database.url, ...env } });
  let ended: Promise<void> | undefined;
  const end = async () => {
    await server.stop();
    await database[Symbol.asyncDispose]();
  };
  const stop = () => {
    ended ??= end();
    return ended;
  };
  beforeTeardown(stop);
  return { ...server, stop, [Symbol.asyncDispose]: stop };
}

/** A server that many use at once, and nobody kills. */
export type SharedServer = Pick<TestServer, 'url' | 'stop'>;

/** The run's one server for all that want nothing special, or else one of this file's own. Stopping leaves the run's alone. */
export async function useSharedServer(): Promise<SharedServer> {
  const url = process.env.RENDIO_TEST_SERVER_URL;
  return url ? { url, stop: async () => {} } : startServerOnDatabase();
}
