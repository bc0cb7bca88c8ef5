/** The part of Supabase's storage API that its clients use, on our buckets: owners alone, and writing in `user_uploads`. */
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { serveMedia } from '../../../http/serve-media.ts';
import { Problem } from '../../../kernel/errors.ts';
import { UPLOADS } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { deleteUploads } from '../delete.ts';
import { listObjects } from '../list.ts';
import { writablePath } from '../object-path.ts';
import { describeObjects } from './openapi.ts';
import { BUCKET, bodyOf, knownBucket, OBJECT, objectOf, PATH, receive, restOf } from './requests.ts';
import { ListBody, presentDeleted, presentEntry, presentInfo, RemoveBody } from './schemas.ts';

export function storageRoutes(api: Api, ctx: Context, guards: Guards): void {
  describeObjects(api, OBJECT);
  api.post(`${OBJECT}/list/:bucket`, guards.userWithBody, async (c) => {
    const { prefix, limit, offset, search, sortBy } = await bodyOf(c, ListBody);
    const bucket = knownBucket(c);
    const query = { bucket, limit, offset, search, sortBy: sortBy.column, isDescending: sortBy.isDescending };
    return c.json((await listObjects(ctx, callerId(c), { ...query, prefix })).map(presentEntry), 200);
  });
  api.get(`${OBJECT}/info/:bucket/*`, guards.user, async (c) => {
    const found = await objectOf(c, ctx, `${OBJECT}/info`);
    const stored = await ctx.media.info(found.key);
    if (!stored) throw new Problem('ERR_4007');
    return c.json(presentInfo(found, stored), 200);
  });
  api.get(`${OBJECT}/authenticated/:bucket/*`, guards.user, (c) => download(c, ctx, `${OBJECT}/authenticated`));

  api.delete(`${OBJECT}/${BUCKET}`, guards.userWithBody, async (c) => {
    const { prefixes } = await bodyOf(c, RemoveBody);
    if (knownBucket(c) !== UPLOADS) throw new Problem('ERR_4005', { status: 403 });
    return c.json((await deleteUploads(ctx, callerId(c), prefixes)).map(presentDeleted), 200);
  });
  api.get(`${OBJECT}/${BUCKET}/*`, guards.user, (c) => download(c, ctx, OBJECT));
  api.post(`${OBJECT}/${BUCKET}/*`, guards.user, (c) => upload(c, ctx, c.req.header('x-upsert') === 'true'));
  api.put(`${OBJECT}/${BUCKET}/*`, guards.user, (c) => upload(c, ctx, true));
  api.delete(`${OBJECT}/${BUCKET}/${PATH}`, guards.user, async (c) => {
    const path = writablePath(c.req.param('bucket') ?? '', restOf(c, OBJECT), callerId(c));
    const [removed] = await deleteUploads(ctx, callerId(c), [path]);
    if (!removed) throw new Problem('ERR_4007');
    return c.json(presentDeleted(removed), 200);
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
