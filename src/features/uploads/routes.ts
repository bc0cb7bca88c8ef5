/** The part of Supabase's storage API that its clients use, on our buckets: owners alone, and writing in `user_uploads`. */
import type { Api, Guards } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import type { HttpContext } from '../../http/env.ts';
import { serveMedia } from '../../http/serve-media.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { describeObjects } from './document-wire.ts';
import { listObjects } from './list.ts';
import { UPLOADS, writablePath } from './object-path.ts';
import { removeUploads } from './remove.ts';
import { bodyOf, knownBucket, OBJECT, objectOf, receive, restOf } from './requests-wire.ts';
import { entryOnWire, infoOnWire, ListBody, RemoveBody, removedOnWire } from './wire.ts';

/** Mounted behind those of addresses that open by themselves, which lie on paths that theirs would take too. */
export function uploadRoutes(api: Api, ctx: Context, guards: Guards): void {
  describeObjects(api, OBJECT);
  api.post(`${OBJECT}/list/:bucket`, guards.userWithBody, async (c) => {
    const { prefix, limit, offset, search, sortBy } = await bodyOf(c, ListBody);
    const bucket = knownBucket(c);
    const query = { bucket, limit, offset, search, sortBy: sortBy.column, isDescending: sortBy.isDescending };
    return c.json((await listObjects(ctx, callerId(c), { ...query, prefix })).map(entryOnWire), 200);
  });
  api.get(`${OBJECT}/info/:bucket/*`, guards.user, async (c) => {
    const found = await objectOf(c, ctx, `${OBJECT}/info`);
    const stored = await ctx.media.info(found.key);
    if (!stored) throw new Problem('ERR_4007');
    return c.json(infoOnWire(found, stored), 200);
  });
  api.get(`${OBJECT}/authenticated/:bucket/*`, guards.user, (c) => download(c, ctx, `${OBJECT}/authenticated`));

  // Before those with a path, whose pattern is also met without one.
  api.delete(`${OBJECT}/:bucket`, guards.userWithBody, async (c) => {
    const { prefixes } = await bodyOf(c, RemoveBody);
    if (knownBucket(c) !== UPLOADS) throw new Problem('ERR_4005', { status: 403 });
    return c.json((await removeUploads(ctx, callerId(c), prefixes)).map(removedOnWire), 200);
  });
  api.get(`${OBJECT}/:bucket/*`, guards.user, (c) => download(c, ctx, OBJECT));
  api.post(`${OBJECT}/:bucket/*`, guards.user, (c) => upload(c, ctx, c.req.header('x-upsert') === 'true'));
  api.put(`${OBJECT}/:bucket/*`, guards.user, (c) => upload(c, ctx, true));
  api.delete(`${OBJECT}/:bucket/*`, guards.user, async (c) => {
    const path = writablePath(c.req.param('bucket') ?? '', restOf(c, OBJECT), callerId(c));
    const [removed] = await removeUploads(ctx, callerId(c), [path]);
    if (!removed) throw new Problem('ERR_4007');
    return c.json(removedOnWire(removed), 200);
  });
}

async function upload(c: HttpContext, ctx: Context, isUpsert: boolean): Promise<Response> {
  const path = writablePath(c.req.param('bucket') ?? '', restOf(c, OBJECT), callerId(c));
  const { id, key } = await receive(c, ctx, callerId(c), path, isUpsert);
  return c.json({ Id: id, Key: key }, 200);
}

async function download(c: HttpContext, ctx: Context, base: string): Promise<Response> {
  const { key, contentType, path } = await objectOf(c, ctx, base);
  const { media: store, clock, log } = ctx;
  // Whether it may be read is asked anew each time.
  const until = clock.now();
  const request = c.req.raw;
  return serveMedia({
    store,
    key,
    request,
    clock,
    log,
    until,
    contentType,
    name: path,
    download: c.req.query('download'),
  });
}
