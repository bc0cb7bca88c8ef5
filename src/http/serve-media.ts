import type { Clock } from '../kernel/clock.ts';
import { contentTypeOf } from '../kernel/content-type.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { attachment } from './content-disposition.ts';
import { openMedia, orStorageProblem, type ReadableMedia } from './open-media.ts';
import { isUnchanged, parseRange, rangeStillHolds } from './range.ts';

export type ServeMediaOptions = {
  store: ReadableMedia;
  /** `<bucket>/<path>`. */
  key: string;
  request: Request;
  clock: Clock;
  log: Log;
  /** When the permission to read ends; no cache may outlive it. */
  until: Date;
  /** What it was found to be, where that says more than the key's extension. */
  contentType?: string | null;
  /** What its owner calls it; the key's own name unless said. */
  name?: string;
  /** Given: offered as a download under this name, or under its own where it is empty. */
  download?: string | undefined;
};

/** Enough for a browser to show a picture or play a video on a page of its own, and for nothing else. */
const MEDIA_CSP = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";

/**
 * Answers GET and HEAD for one stored object: 200, 206 for a range, 304 for a good copy, 416 for a range outside it.
 * Throws ERR_4007 when there is no such object, ERR_6002 when the store fails before the first byte.
 */
export async function serveMedia(options: ServeMediaOptions): Promise<Response> {
  const { store, key, request } = options;
  const info = await orStorageProblem(() => store.info(key));
  if (info === null) throw new Problem('ERR_4007');
  const { bytes, etag, modifiedAt } = info;
  const headers = mediaHeaders(options, etag, modifiedAt);
  if (isUnchanged(request.headers, etag, modifiedAt)) return new Response(null, { status: 304, headers });

  headers['Content-Type'] = options.contentType ?? contentTypeOf(key);
  // A range means something to GET alone (RFC 9110 §14.2).
  const isRangeWelcome = request.method === 'GET' && rangeStillHolds(request.headers.get('If-Range'), etag, modifiedAt);
  const wanted = parseRange(isRangeWelcome ? request.headers.get('Range') : null, bytes);
  if (wanted.kind === 'unsatisfiable') {
    return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${bytes}` } });
  }
  if (wanted.kind === 'whole') {
    headers['Content-Length'] = String(bytes);
    const body = request.method === 'HEAD' ? null : await openMedia(options);
    return new Response(body, { status: 200, headers });
  }
  const { start, end } = wanted.range;
  headers['Content-Length'] = String(end - start + 1);
  headers['Content-Range'] = `bytes ${start}-${end}/${bytes}`;
  return new Response(await openMedia(options, wanted.range), { status: 206, headers });
}

function mediaHeaders(options: ServeMediaOptions, etag: string, modifiedAt: Date): Record<string, string> {
  const secondsLeft = Math.max(0, Math.floor((options.until.getTime() - options.clock.now().getTime()) / 1000));
  return {
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${secondsLeft}`,
    'Content-Disposition':
      options.download === undefined ? 'inline' : attachment(options.download, options.name ?? options.key),
    'Content-Security-Policy': MEDIA_CSP,
    ETag: etag,
    'Last-Modified': modifiedAt.toUTCString(),
    'X-Content-Type-Options': 'nosniff',
  };
}
