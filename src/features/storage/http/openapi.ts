/** How the stored objects' routes are written into the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import type { Api } from '../../../http/api.ts';
import {
  BODY_ERRORS,
  EXAMPLE_IDS,
  headerParameter,
  jsonContent,
  refusals,
  responses,
  USER_ERRORS,
} from '../../../http/openapi.ts';
import { type HeaderName, headersOf } from '../../../http/openapi-headers.ts';
import type { ErrorCode, ProblemDetails } from '../../../kernel/errors.ts';
import { UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import { EXAMPLE_PATH, ListBody, ObjectEntries, ObjectEntry, ObjectInfo, RemoveBody, Stored } from './schemas.ts';

export const STORAGE = { tags: ['Storage'], security: [{ bearer: [] }] };
const FILE = { type: 'string' as const, format: 'binary' };
const PICTURES = { 'image/jpeg': { schema: FILE }, 'image/png': { schema: FILE }, 'image/webp': { schema: FILE } };
const FILES = { ...PICTURES, 'video/mp4': { schema: FILE } };
export const LIMITED: HeaderName[] = ['RateLimit', 'RateLimitPolicy'];
const FILE_HEADERS: HeaderName[] = ['AcceptRanges', 'ETag', 'CacheControl', 'ContentDisposition'];
export const WRITE_ERRORS: ErrorCode[] = ['ERR_4006', 'ERR_4008', 'ERR_4014', 'ERR_4015', 'ERR_6002'];
/** What is wrong with a picture, as it is told. */
export const WRITE_DETAILS: Partial<Record<ErrorCode, ProblemDetails>> = {
  ERR_4006: { field: 'path', reason: 'file_name', pattern: '[A-Za-z0-9._-]{1,200}' },
  ERR_4008: { reason: 'exists' },
  ERR_4014: { bytes_max: UPLOAD_BYTES_MAX },
  ERR_4015: { field: 'file', allowed: ['image/jpeg', 'image/png', 'image/webp'] },
};

export const bucketParam = z.object({
  bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'user_uploads' }),
});
export const pathParam = z.object({
  path: z.string().openapi({
    description: '`<user_id>/…`; its slashes are part of the address. Names are of letters, digits and `. _ -`.',
    example: EXAMPLE_PATH,
  }),
});
export const objectParams = bucketParam.extend(pathParam.shape);

/** A picture as it is, or a form whose only file it is. */
export const IMAGE_BODY = {
  required: true,
  content: { ...PICTURES, 'multipart/form-data': { schema: { type: 'object' as const, properties: { '': FILE } } } },
};

const RANGE_PARAMETERS = [
  headerParameter('Range', 'Part of the file, such as `bytes=0-1023`.'),
  headerParameter('If-Range', 'The `ETag` of the file that the range is of.'),
  headerParameter('If-None-Match', 'The `ETag` of the copy at hand.'),
];

/** A file as an answer, whole or in part. */
export function fileAnswer(errors: ErrorCode[], details: Partial<Record<ErrorCode, ProblemDetails>> = {}) {
  return {
    parameters: RANGE_PARAMETERS,
    responses: {
      ...refusals([...errors, 'ERR_4007', 'ERR_6002'], details),
      200: { description: 'The file', headers: headersOf(FILE_HEADERS), content: FILES },
      206: { description: 'The range', headers: headersOf([...FILE_HEADERS, 'ContentRange']), content: FILES },
      304: { description: 'The copy at hand is good', headers: headersOf(FILE_HEADERS) },
      416: { description: 'The range lies outside the file', headers: headersOf(['ContentRange']) },
    },
  };
}

const PICTURE_RULES =
  'A JPEG, PNG or WebP of at most 10 MB (10,485,760 bytes), whole, still, 64 to 10,000 pixels a side. What it is, is told by ' +
  'its bytes; the `Content-Type` that was sent is not believed. ';

export const ENTRY = {
  name: 'portrait.jpg',
  id: EXAMPLE_IDS.transaction,
  updated_at: '2026-11-23T09:30:00.000Z',
  created_at: '2026-11-23T09:30:00.000Z',
  last_accessed_at: '2026-11-23T09:30:00.000Z',
  metadata: {
    size: 184_320,
    contentLength: 184_320,
    mimetype: 'image/jpeg',
    eTag: '"9f86d081884c7d659a2feaa0c55ad015"',
    cacheControl: 'private, max-age=0',
    lastModified: '2026-11-23T09:30:00.000Z',
  },
};

export function describeObjects(api: Api, base: string): void {
  const object = `${base}/{bucket}/{path}`;
  const put = {
    ...STORAGE,
    path: object,
    request: { params: objectParams, body: IMAGE_BODY },
    responses: responses(Stored, {
      description: 'It is stored',
      example: { Id: EXAMPLE_IDS.transaction, Key: `user_uploads/${EXAMPLE_PATH}` },
      headers: LIMITED,
      errors: [...USER_ERRORS, 'ERR_4007', ...WRITE_ERRORS],
      details: WRITE_DETAILS,
    }),
  };
  api.openAPIRegistry.registerPath({
    ...put,
    method: 'post',
    operationId: 'uploadObject',
    summary: 'Upload a picture into one’s own folder',
    description:
      `${PICTURE_RULES}\`image_url\` of \`generate-video\` then takes its path. What is there already stays (409) unless ` +
      '`x-upsert` says otherwise. The Supabase storage clients speak to these routes as they are, and get errors in their own shape.',
    parameters: [headerParameter('x-upsert', '`true`: replaces what is there.')],
  });
  api.openAPIRegistry.registerPath({
    ...put,
    method: 'put',
    operationId: 'replaceObject',
    summary: 'Upload a picture in place of what is there',
    description: `${PICTURE_RULES}Readers see the old one or the new one, never half of either.`,
  });
  const read = { ...STORAGE, request: { params: objectParams }, ...fileAnswer(USER_ERRORS) };
  api.openAPIRegistry.registerPath({
    ...read,
    method: 'get',
    path: object,
    operationId: 'downloadObject',
    summary: 'A file of one’s own',
    description: 'Of any bucket, with ranges. Another’s file and none are the same 404.',
  });
  api.openAPIRegistry.registerPath({
    ...read,
    method: 'get',
    path: `${base}/authenticated/{bucket}/{path}`,
    operationId: 'downloadAuthenticated',
    summary: 'The same under its longer address',
    description: 'As some storage clients ask for it.',
  });
  describeCare(api, base, object);
}

function describeCare(api: Api, base: string, object: string): void {
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'delete',
    path: object,
    operationId: 'deleteObject',
    summary: 'Delete a picture',
    description: 'In `user_uploads` alone: videos go with `delete-video-job`.',
    request: { params: objectParams },
    responses: responses(ObjectEntry, {
      description: 'What was deleted',
      example: { ...ENTRY, name: EXAMPLE_PATH },
      headers: LIMITED,
      errors: [...USER_ERRORS, 'ERR_4007'],
      details: { ERR_4006: WRITE_DETAILS.ERR_4006 ?? {} },
    }),
  });
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'delete',
    path: `${base}/{bucket}`,
    operationId: 'deleteObjects',
    summary: 'Delete pictures',
    description:
      'Answers with those that were there. A job that has not sent its picture to its provider yet fails, and pays nothing.',
    request: {
      params: bucketParam,
      body: jsonContent(RemoveBody, { one: { summary: 'One', value: { prefixes: [EXAMPLE_PATH] } } }),
    },
    responses: responses(ObjectEntries, {
      description: 'What was deleted',
      example: [{ ...ENTRY, name: EXAMPLE_PATH }],
      headers: LIMITED,
      errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007'],
      details: { ERR_4006: { field: 'prefixes', reason: 'missing' } },
    }),
  });
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'post',
    path: `${base}/list/{bucket}`,
    operationId: 'listObjects',
    summary: 'What lies in a folder',
    description: 'One level deep: folders have no `id`.',
    request: {
      params: bucketParam,
      body: jsonContent(ListBody, {
        own: { summary: 'One’s own folder', value: { prefix: EXAMPLE_IDS.user, limit: 100 } },
      }),
    },
    responses: responses(ObjectEntries, {
      description: 'Files and folders',
      example: [ENTRY],
      headers: LIMITED,
      errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007'],
      details: { ERR_4006: { field: 'limit', allowed: { maximum: 1000 } } },
    }),
  });
  const { metadata, id, created_at, updated_at } = ENTRY;
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'get',
    path: `${base}/info/{bucket}/{path}`,
    operationId: 'getObjectInfo',
    summary: 'What is known of a file',
    description: 'Its size and kind, without the file.',
    request: { params: objectParams },
    responses: responses(ObjectInfo, {
      description: 'It is there',
      example: {
        ...{ id, name: EXAMPLE_PATH, bucket_id: 'user_uploads', version: id, size: metadata.size, metadata: {} },
        ...{ content_type: metadata.mimetype, cache_control: metadata.cacheControl, etag: metadata.eTag },
        ...{ last_modified: updated_at, created_at },
      },
      headers: LIMITED,
      errors: [...USER_ERRORS, 'ERR_4007', 'ERR_6002'],
    }),
  });
}
