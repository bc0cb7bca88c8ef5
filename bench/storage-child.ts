/** Fetches one long file, stores it, and reports by how much the peak of its memory has grown. */
import { join } from 'node:path';
import { systemClock } from '../src/kernel/clock.ts';
import { createMediaFetcher } from '../src/media/fetch-media.ts';
import { createS3Store } from '../src/media/s3.ts';

export type Stored = { bytes: number; addedMb: number; fetchSeconds: number; storeSeconds: number };

const [host = '', endpoint = '', folder = ''] = process.argv.slice(2);
const path = join(folder, 'long.mp4');
const keys = { region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const store = createS3Store({ endpoint, bucket: 'media', ...keys, fetch, clock: systemClock });
const limits = { extraMayBePrivate: true, bytesMax: 1_000_000_000, stallMs: 30_000 };
const fetcher = createMediaFetcher({ extraHosts: [host], ...limits });

const peakMb = () => process.resourceUsage().maxRSS / 1_024;
// The first calls load their code, once for all files.
await fetcher.fetchToFile(`http://${host}/short.mp4`, path, [], new AbortController().signal);
await store.putFile('videos/short.mp4', path);
const before = peakMb();
const began = performance.now();
await fetcher.fetchToFile(`http://${host}/long.mp4`, path, [], new AbortController().signal);
const fetched = performance.now();
const { bytes } = await store.putFile('videos/long.mp4', path);
const stored: Stored = {
  bytes,
  addedMb: peakMb() - before,
  fetchSeconds: (fetched - began) / 1_000,
  storeSeconds: (performance.now() - fetched) / 1_000,
};
process.send?.(stored);
