import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaStoreOf, whereMediaIs } from '../../app/media-store.ts';
import { compareIds, otherStoreFault } from '../../app/own-store.ts';
import { inspectDatabase } from '../../db/inspect.ts';
import { errorCodeInChain } from '../../kernel/error-code.ts';
import { createS3Call } from '../../media/s3-call.ts';
import { StoreRefusal } from '../../media/storage-problem.ts';
import type { MediaStore } from '../../media/store.ts';
import { readStoreId } from '../../media/store-id.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const CONTENT = 'rendio doctor';
const LIMIT_MS = 8_000;

type Fault = [name: string, problem: string, mend: string];

/** S3's own codes, and which variable each of them is about. */
const FAULTS: Record<string, Fault> = {
  InvalidAccessKeyId: ['S3_ACCESS_KEY_ID', 'is not known to the store', 'Copy the id of a key that is active there.'],
  SignatureDoesNotMatch: [
    'S3_SECRET_ACCESS_KEY',
    'is not the secret of S3_ACCESS_KEY_ID',
    'Copy the secret of that key.',
  ],
  NoSuchBucket: ['S3_BUCKET', 'does not exist at S3_ENDPOINT', 'Create it, or correct its name.'],
  InvalidBucketName: ['S3_BUCKET', 'is no name of a bucket', 'Set the name alone, without a scheme or a slash.'],
  AuthorizationHeaderMalformed: [
    'S3_REGION',
    'is not the region of the bucket',
    'Set the region that the store shows for it.',
  ],
  IllegalLocationConstraintException: [
    'S3_REGION',
    'is not the region of the bucket',
    'Set the region that the store shows for it.',
  ],
  InvalidRegion: ['S3_REGION', 'is no region of this store', 'Set the region that the store shows for the bucket.'],
  InvalidRegionName: ['S3_REGION', 'is no region of this store', 'Set the region that the store shows for the bucket.'],
  PermanentRedirect: [
    'S3_REGION',
    'and S3_ENDPOINT are not those of the bucket',
    'Set the region of the bucket and the endpoint of that region.',
  ],
  RequestTimeTooSkewed: [
    'clock',
    'of this machine differs from that of the media store',
    'Set it by NTP: the store refuses what is signed at another time.',
  ],
};

/** Writes, reads, reads a part of, and deletes an object of its own, and compares the store's id with the database's. */
export const bucket: Check = {
  title: 'the media store',
  variable: 'S3_ENDPOINT',
  async run(tools) {
    const store = mediaStoreOf(tools.config, join(tools.dataDir, 'media'), tools.clock, tools.fetch);
    const { s3 } = tools.config.secrets;
    const tried = s3 ? await tryBucket(store, tools) : [];
    if (tried.some(({ level }) => level === 'wrong')) return tried;
    return [...tried, ...(await compareStores(store, tools))];
  },
};

async function tryBucket(store: MediaStore, tools: DoctorTools): Promise<Finding[]> {
  const key = `videos/rendio-doctor-${randomUUID()}.mp4`;
  const steps: [doing: string, step: () => Promise<unknown>][] = [
    ['write', () => write(store, key)],
    ['read', async () => requireText(await textOf(store, key), CONTENT)],
    ['read a part of', async () => requireText(await textOf(store, key, { start: 1, end: 5 }), CONTENT.slice(1, 6))],
    ['delete', () => store.remove(key)],
    ['delete', async () => requireText((await store.info(key)) === null ? '' : 'still there', '')],
  ];
  for (const [doing, step] of steps) {
    try {
      await step();
    } catch (error) {
      if (doing !== 'delete') await store.remove(key).catch(() => {});
      return [findingOf(error, doing, tools)];
    }
  }
  return [fine('S3_BUCKET', 'takes, gives and deletes files'), ...(await tryList(tools))];
}

async function write(store: MediaStore, key: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-doctor-'));
  try {
    await writeFile(join(folder, 'object'), CONTENT);
    await store.putFile(key, join(folder, 'object'), AbortSignal.timeout(LIMIT_MS));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function textOf(store: MediaStore, ...object: Parameters<MediaStore['read']>): Promise<string | null> {
  const stream = await store.read(...object);
  return stream && new Response(stream).text();
}

class OtherContent extends Error {}

function requireText(found: string | null, expected: string): void {
  if (found !== expected) throw new OtherContent();
}

function findingOf(error: unknown, doing: string, { config }: DoctorTools): Finding {
  const endpoint = config.secrets.s3?.endpoint ?? '';
  const cause = error instanceof Error && error.cause ? error.cause : error;
  if (cause instanceof OtherContent)
    return wrong(
      'S3_ENDPOINT',
      `leads to a store that does not ${doing} a file as S3 does`,
      'Use a store with the whole S3 protocol.',
    );
  if (!(cause instanceof StoreRefusal)) return unreachable('S3_ENDPOINT', endpoint, inWords(cause));
  const known = FAULTS[cause.code] ?? (cause.status === 301 ? FAULTS.PermanentRedirect : undefined);
  if (known) return wrong(...known);
  if (cause.status === 401)
    return wrong(
      'S3_ACCESS_KEY_ID',
      `or S3_SECRET_ACCESS_KEY is refused by the store (${cause.code || '401'})`,
      'Copy both of a key that is active there.',
    );
  if (cause.status === 403)
    return wrong(
      'S3_ACCESS_KEY_ID',
      `may not ${doing} files in S3_BUCKET (${cause.code || '403'})`,
      'Give the key the rights to read, write, delete and list in that bucket.',
    );
  return unreachable('S3_ENDPOINT', endpoint, `${cause.message} to the try to ${doing} a file`);
}

/** The gateway's own sentences have no code. */
function inWords(cause: unknown): string {
  const isOurs = cause instanceof Error && cause.name === 'Error' && errorCodeInChain(cause) === null;
  return isOurs ? cause.message : describeFailure(cause);
}

/** Only warned of: the server does without, and is then slower to say that a file is missing. */
async function tryList({ config, fetch, clock }: DoctorTools): Promise<Finding[]> {
  const { s3, supabase } = config.secrets;
  if (!s3) return [];
  // On Supabase each of our buckets is a bucket of the store's.
  const name = supabase ? 'videos' : s3.bucket;
  const call = createS3Call({ ...s3, bucket: name, secretAccessKey: s3.secretAccessKey.reveal(), fetch, clock });
  return call({ method: 'GET', key: '', query: { 'list-type': '2', 'max-keys': '1' } }).then(
    async ({ stream }) => {
      await stream?.cancel();
      return [];
    },
    () => [
      warning(
        'S3_ACCESS_KEY_ID',
        'may not list S3_BUCKET',
        'Give the key that right: without it, a missing file looks like a forbidden one.',
      ),
    ],
  );
}

async function compareStores(store: MediaStore, { config, dataDir, ...tools }: DoctorTools): Promise<Finding[]> {
  const found = await tools.database();
  // A database that cannot be read is reported by its own check.
  const state = found && (await inspectDatabase(found.directUrl).catch(() => null));
  if (!state?.mediaStoreId) return [];
  const where = whereMediaIs(config, dataDir);
  const fault = otherStoreFault(compareIds(state.mediaStoreId, await readStoreId(store)), where);
  const name = config.secrets.s3 ? 'S3_BUCKET' : 'DATA_DIR';
  if (fault === null) return [fine(name, 'is the media store of the database')];
  const level = config.settings.environment === 'development' ? warning : wrong;
  return [level(name, 'is not the media store of the database', fault)];
}
