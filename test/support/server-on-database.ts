import { beforeTeardown, createTestDatabase } from './postgres.ts';
import { startTestServer, type TestServer } from './server.ts';

/**
 * Starts the real server on its own database in the run's PostgreSQL, until it is stopped or the file ends: its own
 * cluster would double the cost. For tests that neither kill the server nor start another on its data.
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

/** A server that several test files use at once, and that no test may kill. */
export type SharedServer = Pick<TestServer, 'url' | 'stop'>;

/** The run's server with the default configuration, or else a new one for this file. `stop` ends only the latter. */
export async function useSharedServer(): Promise<SharedServer> {
  const url = process.env.RENDIO_TEST_SERVER_URL;
  return url ? { url, stop: async () => {} } : startServerOnDatabase();
}
