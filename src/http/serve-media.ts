import type { Clock } from '../kernel/clock.ts';
import { contentTypeOf } from '../kernel/content-type.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { attachment } from './content-disposition.ts';
import { openMedia, orStorageProblem, type ReadableMedia } from './open-media.ts';
import { ifRangeMatches, isUnchanged, parseRange } from './range.ts';

export type ServeMediaOptions = {
  store: ReadableMedia;
  /** `<bucket>/<path>`. */
  key: string;
  request: Request;
  clock: Clock;
  log: Log;
  /** When the permission to read ends. Caches must not keep the file longer. */
  expiresAt: Date;
  /** The detected content type. Without it, the key's extension decides. */
  contentType?: string | null;
  /** The owner's name for the file. Defaults to the name in the key. */
  name?: string;
  /** If given, the file is offered as a download under this name, or if empty, under its own. */
  download?: string | undefined;
  /** Counts the reader's download while its body is open. Throws what the reader gets who has too many. */
  begin?: () => () => void;
};

/** Lets a browser show the image or play the video on its own page, and nothing else. */
const MEDIA_CSP = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";

/**
 * Serves GET and HEAD for a stored object: 200, 206 for a range, 304 if the caller's copy is current, 416 for a range
 * outside the object. Throws ERR_4007 if there is no such object, ERR_6002 if the store fails before the first byte.
 */
export async function serveMedia(options: ServeMediaOptions): Promise<Response> {
  const { store, key, request } = options;
  const info = await orStorageProblem(() => store.info(key));
  if (info === null) throw new Problem('ERR_4007');
  const { bytes, etag, modifiedAt } = info;
  const headers = mediaHeaders(options, etag, modifiedAt);
  if (isUnchanged(request.headers, etag, modifiedAt)) return new Response(null, { status: 304, headers });

  headers['Content-Type'] = options.contentType ?? contentTypeOf(key);
  // Ranges apply to GET only (RFC 9110 §14.2).
  const allowsRange = request.method === 'GET' && ifRangeMatches(request.headers.get('If-Range'), etag, modifiedAt);
  const requested = parseRange(allowsRange ? request.headers.get('Range') : null, bytes);
  if (requested.kind === 'unsatisfiable') {
    return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${bytes}` } });
  }
  if (requested.kind === 'whole') {
    headers['Content-Length'] = String(bytes);
    const body = request.method === 'HEAD' ? null : await openMedia(options);
    return new Response(body, { status: 200, headers });
  }
  const { start, end } = requested.range;
  headers['Content-Length'] = String(end - start + 1);
  headers['Content-Range'] = `bytes ${start}-${end}/${bytes}`;
  return new Response(await openMedia(options, requested.range), { status: 206, headers });
}

function mediaHeaders(options: ServeMediaOptions, etag: string, modifiedAt: Date): Record<string, string> {
  const secondsLeft = Math.max(0, Math.floor((options.expiresAt.getTime() - options.clock.now().getTime()) / 1000));
  return {
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${secondsLeft}`,
    'Content-Disposition':
      options.download === undefined ? 'inline' : attachment(options.download, options.name ?? options.key),
    'Content-Security-Policy': MEDIA_CSP,
    // The URL is the permission: any page may embed the file, also one that requires this header of what it embeds.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ETag: etag,
    'Last-Modified': modifiedAt.toUTCString(),
    'X-Content-Type-Options': 'nosniff',
  };
}
