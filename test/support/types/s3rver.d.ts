/** The part of s3rver that the tests use; the package has no types. */
declare module 's3rver' {
  import type { AddressInfo } from 'node:net';

  type GetObject = (bucket: string, key: string, options?: { start?: number; end?: number }) => Promise<unknown>;

  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      silent: boolean;
      directory: string;
      configureBuckets: { name: string }[];
    });
    store: { getObject: GetObject };
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
  }
}
