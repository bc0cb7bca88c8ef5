/** Finished videos and their previews, at URLs that open by themselves for as long as they were signed. */
import type { Api } from '../../http/api.ts';
import type { HttpContext } from '../../http/env.ts';
import { serveMedia } from '../../http/serve-media.ts';
import { signedUntil } from '../../http/signed-url.ts';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';
import { describeMedia } from './media-wire.ts';
import { isServed } from './read.ts';

const PREFIX = '/storage/v1/object/sign/';
const BUCKETS = ['videos', 'thumbnails'];

export function mediaRoutes(api: Api, ctx: Context): void {
  describeMedia(api, `${PREFIX}{bucket}/{path}`);
  api.get(`${PREFIX}:bucket/*`, async (c) => serve(c, ctx));
}

async function serve(c: HttpContext, ctx: Context): Promise<Response> {
  const key = keyOf(c.req.path);
  const token = c.req.query('token') ?? '';
  const verdict = await ctx.mediaSigner.verify(key, token);
  if (verdict !== 'ok') {
    throw new Problem('ERR_4005', {
      status: 403,
      details: { reason: verdict === 'expired' ? 'link_expired' : 'link' },
    });
  }
  // A file stops being served with its job, however long its URL was to live.
  const jobId = parseUuid(/([^/]+)\.[a-z0-9]+$/.exec(key)?.[1]);
  const isJobs = BUCKETS.some((bucket) => key.startsWith(`${bucket}/`));
  if (!isJobs || jobId === null || !(await isServed(ctx, jobId))) throw new Problem('ERR_4007');
  return serveMedia({
    store: ctx.media,
    key,
    request: c.req.raw,
    clock: ctx.clock,
    log: ctx.log,
    until: signedUntil(token),
    download: c.req.query('download'),
  });
}

function keyOf(path: string): string {
  try {
    return decodeURIComponent(path.slice(PREFIX.length));
  } catch {
    throw new Problem('ERR_4007');
  }
}
