/** A vendor's media host: real videos, and everything that can be wrong with a file. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { dropConnection, type SimulatorEnv, wasDropped } from './drop-connection.ts';
import { streamOf, wait } from './faults.ts';
import type { FileOutcome } from './outcomes.ts';
import { type StockVideoSpec, stockVideoFor } from './stock-video.ts';

type VideoFile = { bytes: Uint8Array; etag: string };

const CHUNK_BYTES = 64 * 1024;
/** The longest timer that there is. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** No file may be fetched from here: the URL of a cloud's metadata service. */
export const INTERNAL_URL = 'https://169.254.169.254/latest/meta-data/output.mp4';

/** The video, in the state that the outcome names. `closing` ends a slow response. */
export async function serveVideo(
  c: Context<SimulatorEnv>,
  outcome: FileOutcome,
  spec: StockVideoSpec,
  closing: AbortSignal,
): Promise<Response> {
  if (outcome === 'video_missing') return c.json({ detail: 'Not Found' }, 404);
  if (outcome === 'video_html') return c.html('<!doctype html><title>Sign in</title><p>Please sign in.');
  if (outcome === 'video_redirect') return c.redirect(INTERNAL_URL, 302);
  const bytes = await stockVideoFor(spec);
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
  const signal = AbortSignal.any([c.req.raw.signal, closing]);
  return faultyFile(c, outcome, bytes, signal) ?? wholeOrPart(c, { bytes, etag });
}

function faultyFile(
  c: Context<SimulatorEnv>,
  outcome: FileOutcome,
  bytes: Uint8Array,
  signal: AbortSignal,
): Response | null {
  const half = bytes.subarray(0, bytes.length >> 1);
  const length = (count: number) => ({ 'content-length': String(count) });
  if (outcome === 'video_truncated') return file(copyOf(half), length(half.length));
  if (outcome === 'video_cut') return file(streamOf(cutAfter(c, half)), length(bytes.length));
  if (outcome === 'video_slow') return file(streamOf(stalled(half, signal)), length(bytes.length));
  if (outcome === 'video_endless') return file(streamOf(endless(bytes)), {});
  return null;
}

function file(body: BodyInit, headers: Record<string, string>, status = 200): Response {
  return new Response(body, { status, headers: { 'content-type': 'video/mp4', ...headers } });
}

async function* cutAfter(c: Context<SimulatorEnv>, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  if (wasDropped(dropConnection(c))) throw new Error('other side closed');
}

async function* stalled(bytes: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield bytes;
  await wait(TIMER_MAX_MS, signal);
}

async function* endless(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  for (;;) yield new Uint8Array(CHUNK_BYTES);
}

/** One range, as in RFC 9110. A request for several gets the whole file. */
function wholeOrPart(c: Context<SimulatorEnv>, { bytes, etag }: VideoFile): Response {
  const known = { etag, 'accept-ranges': 'bytes', 'cache-control': 'public, max-age=604800' };
  if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers: known });
  const size = bytes.length;
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(c.req.header('range') ?? '') ?? [];
  const isForThisFile = (c.req.header('if-range') ?? etag) === etag;
  if (from + to === '' || !isForThisFile) return file(copyOf(bytes), { ...known, 'content-length': String(size) });
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end)
    return new Response(null, { status: 416, headers: { ...known, 'content-range': `bytes */${size}` } });
  const part = copyOf(bytes.subarray(start, end + 1));
  const range = { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': String(part.length) };
  return file(part, { ...known, ...range }, 206);
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
