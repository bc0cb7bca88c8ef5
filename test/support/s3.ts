import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

export type TestS3 = {
  /** Its path-style endpoint; both keys are `S3RVER`, the region is `us-east-1`. */
  endpoint: string;
  /** The server's environment variables for this store. */
  env: Record<string, string>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Starts an S3-compatible store on this machine, with these buckets. */
export async function startS3(buckets: string[], wantedPort = 0): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'rendio-s3-'));
  const configureBuckets = buckets.map((name) => ({ name }));
  const server = new S3rver({ address: '127.0.0.1', port: wantedPort, silent: true, directory, configureBuckets });
  const { port } = await server.run();
  // s3rver ignores an `end` of 0 because it is falsy; an object is not.
  const { store } = server;
  const getObject = store.getObject.bind(store);
  store.getObject = (bucket, key, options) =>
    getObject(bucket, key, options?.end === 0 ? { ...options, end: Object(0) } : options);
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    env: s3Env(endpoint, buckets[0] ?? ''),
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The environment variables of a server that uses such a store. */
export function s3Env(endpoint: string, bucket: string): Record<string, string> {
  return {
    S3_ENDPOINT: endpoint,
    S3_REGION: 'us-east-1',
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
  };
}
