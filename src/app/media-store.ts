/** The store of this process, as the configuration names it, and as the database knows it. */
import { join } from 'node:path';
import type { Database } from '../db/database.ts';
import { createLease } from '../db/lease.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createDiskStore } from '../media/disk.ts';
import { createS3Store } from '../media/s3.ts';
import type { MediaStore } from '../media/store.ts';
import type { Config } from './config.ts';
import { type OwnStore, type OwnStoreOptions, ownStore } from './own-store.ts';

/** A process gives a store its id within seconds. */
const LEASE_WAIT_MS = 30_000;

export type OpenStoreOptions = {
  config: Config;
  /** Absolute. */
  dataDir: string;
  db: Database;
  directUrl: string;
  workDir: string;
  newUuid(): string;
  clock: Clock;
  log: Log;
};

export function openMediaStore({ config, dataDir, directUrl, clock, ...options }: OpenStoreOptions): OwnStore {
  const folder = join(dataDir, 'media');
  return ownStore({
    ...options,
    media: mediaStoreOf(config, folder, clock),
    lease: createLease({ url: directUrl, name: 'media store', waitMs: LEASE_WAIT_MS, log: options.log }),
    where: whereMediaIs(config, dataDir),
    isLenient: config.settings.environment === 'development',
  });
}

/** What the operator calls the store, and where it is set. */
export function whereMediaIs({ secrets: { s3, supabase } }: Config, dataDir: string): OwnStoreOptions['where'] {
  return s3
    ? { store: supabase ? s3.endpoint : `${s3.endpoint}/${s3.bucket}`, variables: 'S3_ENDPOINT and S3_BUCKET' }
    : { store: join(dataDir, 'media'), variables: 'DATA_DIR (or S3_ENDPOINT and S3_BUCKET)' };
}

/** Files of this machine, or a bucket that all servers and workers share. */
export function mediaStoreOf(
  { secrets: { s3, supabase } }: Config,
  folder: string,
  clock: Clock,
  send: typeof fetch = fetch,
): MediaStore {
  if (!s3) return createDiskStore({ folder });
  const { secretAccessKey, bucket, ...options } = s3;
  // On Supabase, each of our buckets is a bucket of Supabase's, with its policies.
  return createS3Store({
    ...options,
    bucket: supabase ? null : bucket,
    secretAccessKey: secretAccessKey.reveal(),
    fetch: send,
    clock,
  });
}
