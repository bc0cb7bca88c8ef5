/** The part of Supabase's storage API that its clients use. Only owners reach objects, and write only to `user_uploads`. */
import { callerId, callerIds } from '../../../http/caller.ts';
import type { Downloads } from '../../../http/downloads.ts';
import type { HttpContext } from '../../../http/env.ts';
import type { Router } from '../../../http/route.ts';
import { serveMedia } from '../../../http/serve-media.ts';
import { Problem } from '../../../kernel/errors.ts';
import { UPLOADS } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { deleteUploads } from '../delete.ts';
import { listObjects } from '../list.ts';
import { folderName, writablePath } from '../object-path.ts';
import {
  DELETE_OBJECT,
  DELETE_OBJECTS,
  DOWNLOAD_AUTHENTICATED,
  DOWNLOAD_OBJECT,
  GET_OBJECT_INFO,
  LIST_OBJECTS,
  REPLACE_OBJECT,
  UPLOAD_OBJECT,
} from './openapi.ts';
import { bucketIn, OBJECT, objectIn, pathIn, receiveImage, requireBucket, type UploadContext } from './requests.ts';
import { presentDeleted, presentEntry, presentInfo } from './schemas.ts';

export function storageRoutes(router: Router, ctx: UploadContext & Pick<Context, 'clock'>, downloads: Downloads): void {
  router.add(LIST_OBJECTS, async (c) => {
    const { prefix, limit, offset, search, sortBy } = c.req.valid('json');
    const order = { sortBy: sortBy.column, isDescending: sortBy.isDescending };
    const input = { bucket: requireBucket(c), prefix: folderName(prefix), limit, offset, search, ...order };
    return c.json((await listObjects(ctx, callerId(c), input)).map(presentEntry), 200);
  });
  router.add(GET_OBJECT_INFO, async (c) => {
    const found = await objectIn(c, ctx, `${OBJECT}/info`);
    const stored = await ctx.media.info(found.key);
    if (!stored) throw new Problem('ERR_4007');
    return c.json(presentInfo(found, stored), 200);
  });
  router.add(DOWNLOAD_AUTHENTICATED, (c) => download(c, ctx, downloads, `${OBJECT}/authenticated`));
  router.add(DOWNLOAD_OBJECT, (c) => download(c, ctx, downloads, OBJECT));

  router.add(UPLOAD_OBJECT, async (c) => c.json(await store(c, ctx, c.req.header('x-upsert') === 'true'), 200));
  router.add(REPLACE_OBJECT, async (c) => c.json(await store(c, ctx, true), 200));

  router.add(DELETE_OBJECTS, async (c) => {
    const { prefixes } = c.req.valid('json');
    if (requireBucket(c) !== UPLOADS) throw new Problem('ERR_4005', { status: 403 });
    return c.json((await deleteUploads(ctx, callerId(c), prefixes)).map(presentDeleted), 200);
  });
  router.add(DELETE_OBJECT, async (c) => {
    const path = writablePath(bucketIn(c), pathIn(c, OBJECT), callerIds(c));
    const [deleted] = await deleteUploads(ctx, callerId(c), [path]);
    if (!deleted) throw new Problem('ERR_4007');
    return c.json(presentDeleted(deleted), 200);
  });
}

async function store(c: HttpContext, ctx: UploadContext, isUpsert: boolean) {
  const path = writablePath(bucketIn(c), pathIn(c, OBJECT), callerIds(c));
  const { id, key } = await receiveImage(c, ctx, { userId: callerId(c), path, isUpsert });
  return { Id: id, Key: key };
}

async function download(
  c: HttpContext,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'media'>,
  downloads: Downloads,
  base: string,
): Promise<Response> {
  const { key, contentType, path } = await objectIn(c, ctx, base);
  const { media: store, clock, log } = ctx;
  // The permission to read is checked again for each request.
  const expiresAt = clock.now();
  const presentation = { contentType, name: path, download: c.req.query('download') };
  const begin = () => downloads.begin(callerId(c));
  return serveMedia({ store, key, request: c.req.raw, clock, log, expiresAt, begin, ...presentation });
}
