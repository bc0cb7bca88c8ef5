/** The routes of stored objects, as Supabase's storage clients call them. */
import { EXAMPLE_IDS, headerParameter, jsonContent, USER_ERRORS } from '../../../http/openapi.ts';
import { rawUserRoute, userRoute } from '../../../http/route.ts';
import {
  bucketParam,
  fileResponses,
  IMAGE_BODY,
  objectParams,
  RANGE_PARAMETERS,
  WRITE_DETAILS,
  WRITE_ERRORS,
} from './descriptions.ts';
import { BUCKET, OBJECT, PATH } from './requests.ts';
import { EXAMPLE_PATH, ListBody, ObjectEntries, ObjectEntry, ObjectInfo, RemoveBody, Stored } from './schemas.ts';

const TAGS = ['Storage'];
const ONE = `${OBJECT}/{bucket}/{path}`;
const ANY_PATH = `${OBJECT}/${BUCKET}/*`;

const IMAGE_RULES =
  'A JPEG, PNG or WebP of at most 10 MB (10,485,760 bytes), whole, still, 64 to 10,000 pixels a side. The type is read from ' +
  'the bytes; the `Content-Type` that was sent is ignored. ';

const ENTRY = {
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

const UPLOAD = {
  path: ONE,
  pattern: ANY_PATH,
  tags: TAGS,
  documents: { params: objectParams, body: IMAGE_BODY },
  answer: {
    schema: Stored,
    description: 'It is stored',
    example: { Id: EXAMPLE_IDS.transaction, Key: `user_uploads/${EXAMPLE_PATH}` },
    errors: ['ERR_4007' as const, ...WRITE_ERRORS],
    details: WRITE_DETAILS,
  },
};

export const UPLOAD_OBJECT = userRoute({
  ...UPLOAD,
  method: 'post',
  operationId: 'uploadObject',
  summary: 'Upload an image into the caller’s folder',
  description:
    `${IMAGE_RULES}\`image_url\` of \`generate-video\` then takes its path. An existing object stays (409) unless ` +
    '`x-upsert` is `true`. The Supabase storage clients work with these routes unchanged, and get errors in their own shape.',
  parameters: [headerParameter('x-upsert', '`true`: replaces an existing object.')],
});

export const REPLACE_OBJECT = userRoute({
  ...UPLOAD,
  method: 'put',
  operationId: 'replaceObject',
  summary: 'Upload an image, replacing an existing one',
  description: `${IMAGE_RULES}Readers see the old one or the new one, never half of either.`,
});

const DOWNLOAD = {
  method: 'get' as const,
  tags: TAGS,
  documents: { params: objectParams },
  parameters: RANGE_PARAMETERS,
  responses: fileResponses(USER_ERRORS),
};

export const DOWNLOAD_OBJECT = rawUserRoute({
  ...DOWNLOAD,
  path: ONE,
  pattern: ANY_PATH,
  operationId: 'downloadObject',
  summary: 'A file of the caller’s own',
  description: 'Of any bucket, with ranges. Another user’s file and none are the same 404.',
});

export const DOWNLOAD_AUTHENTICATED = rawUserRoute({
  ...DOWNLOAD,
  path: `${OBJECT}/authenticated/{bucket}/{path}`,
  pattern: `${OBJECT}/authenticated/:bucket/*`,
  operationId: 'downloadAuthenticated',
  summary: 'The same under its longer URL',
  description: 'As some storage clients request it.',
});

export const DELETE_OBJECT = userRoute({
  method: 'delete',
  path: ONE,
  pattern: `${OBJECT}/${BUCKET}/${PATH}`,
  tags: TAGS,
  operationId: 'deleteObject',
  summary: 'Delete an image',
  description: 'In `user_uploads` alone: videos are deleted with `delete-video-job`.',
  documents: { params: objectParams },
  answer: {
    schema: ObjectEntry,
    description: 'What was deleted',
    example: { ...ENTRY, name: EXAMPLE_PATH },
    errors: ['ERR_4007'],
    details: { ERR_4006: WRITE_DETAILS.ERR_4006 ?? {} },
  },
});

export const DELETE_OBJECTS = userRoute({
  method: 'delete',
  path: `${OBJECT}/{bucket}`,
  pattern: `${OBJECT}/${BUCKET}`,
  tags: TAGS,
  operationId: 'deleteObjects',
  summary: 'Delete images',
  description:
    'Answers with those that were there. A job that has not sent its image to its provider yet then fails and is refunded.',
  request: { body: jsonContent(RemoveBody, { one: { summary: 'One', value: { prefixes: [EXAMPLE_PATH] } } }) },
  documents: { params: bucketParam },
  answer: {
    schema: ObjectEntries,
    description: 'What was deleted',
    example: [{ ...ENTRY, name: EXAMPLE_PATH }],
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'prefixes', reason: 'missing' } },
  },
});

export const LIST_OBJECTS = userRoute({
  method: 'post',
  path: `${OBJECT}/list/{bucket}`,
  tags: TAGS,
  operationId: 'listObjects',
  summary: 'What lies in a folder',
  description: 'One level deep: folders have no `id`.',
  request: {
    body: jsonContent(ListBody, {
      own: { summary: 'The caller’s own folder', value: { prefix: EXAMPLE_IDS.user, limit: 100 } },
    }),
  },
  documents: { params: bucketParam },
  answer: {
    schema: ObjectEntries,
    description: 'Files and folders',
    example: [ENTRY],
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'limit', allowed: { maximum: 1000 } } },
  },
});

const { metadata, id, created_at, updated_at } = ENTRY;

export const GET_OBJECT_INFO = userRoute({
  method: 'get',
  path: `${OBJECT}/info/{bucket}/{path}`,
  pattern: `${OBJECT}/info/:bucket/*`,
  tags: TAGS,
  operationId: 'getObjectInfo',
  summary: 'Size and type of a file',
  description: 'Without the file itself.',
  documents: { params: objectParams },
  answer: {
    schema: ObjectInfo,
    description: 'It is there',
    example: {
      ...{ id, name: EXAMPLE_PATH, bucket_id: 'user_uploads', version: id, size: metadata.size, metadata: {} },
      ...{ content_type: metadata.mimetype, cache_control: metadata.cacheControl, etag: metadata.eTag },
      ...{ last_modified: updated_at, created_at },
    },
    errors: ['ERR_4007', 'ERR_6002'],
  },
});
