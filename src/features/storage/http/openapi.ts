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
  'The image must be a JPEG, PNG or WebP without animation, whose pixels are all there, of at most 10 MB (10,485,760 bytes) ' +
  'and 64 to 10,000 pixels per side. It is judged by decoding it; the `Content-Type` is ignored. An account stores at most ' +
  '200 images and 500 MB, a guest whose device was not verified 50 MB. Of more than 3 uploads at once the others wait, and get ' +
  'a 429 after 15 seconds. ';

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

const METADATA = headerParameter(
  'x-metadata',
  'A JSON object in base64, of at most 10,000 characters, which `getObjectInfo` returns. In a form, the field `metadata`.',
);

const UPLOAD = {
  path: ONE,
  pattern: ANY_PATH,
  tags: TAGS,
  documents: { params: objectParams, body: IMAGE_BODY },
  answer: {
    schema: Stored,
    description: 'The image is stored',
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
    `Stores an image, whose path can then be the \`image_url\` of \`generate-video\`. ${IMAGE_RULES}If the object exists, it is ` +
    'kept and a 409 is returned, unless `x-upsert` is `true`. The Supabase storage clients work with these routes unchanged, ' +
    'and get errors in their own format.',
  parameters: [headerParameter('x-upsert', '`true` replaces an existing object.'), METADATA],
});

export const REPLACE_OBJECT = userRoute({
  ...UPLOAD,
  method: 'put',
  operationId: 'replaceObject',
  summary: 'Upload an image, replacing an existing one',
  description: `Stores an image under this path. ${IMAGE_RULES}Readers get either the old or the new image, never a part of one.`,
  parameters: [METADATA],
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
  summary: 'Download a file of the caller’s own',
  description:
    'Returns a file from any bucket. Supports range requests. Another user’s file returns the same 404 as an unknown file.',
});

export const DOWNLOAD_AUTHENTICATED = rawUserRoute({
  ...DOWNLOAD,
  path: `${OBJECT}/authenticated/{bucket}/{path}`,
  pattern: `${OBJECT}/authenticated/:bucket/*`,
  operationId: 'downloadAuthenticated',
  summary: 'Download a file of the caller’s own (longer URL)',
  description: 'The same as `downloadObject`, under the URL that some storage clients use.',
});

export const DELETE_OBJECT = userRoute({
  method: 'delete',
  path: ONE,
  pattern: `${OBJECT}/${BUCKET}/${PATH}`,
  tags: TAGS,
  operationId: 'deleteObject',
  summary: 'Delete an image',
  description: 'Deletes an image in `user_uploads`. To delete a video, use `delete-video-job`.',
  documents: { params: objectParams },
  answer: {
    schema: ObjectEntry,
    description: 'The deleted image',
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
  summary: 'Delete several images',
  description:
    'Deletes images in `user_uploads` and returns those that existed. A job that has not sent its image to its provider yet ' +
    'then fails and is refunded.',
  request: { body: jsonContent(RemoveBody, { one: { summary: 'One image', value: { prefixes: [EXAMPLE_PATH] } } }) },
  documents: { params: bucketParam },
  answer: {
    schema: ObjectEntries,
    description: 'The deleted images',
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
  summary: 'List a folder',
  description: 'Returns the files and folders in a folder, one level deep. Folders have no `id`.',
  request: {
    body: jsonContent(ListBody, {
      own: { summary: 'The caller’s own folder', value: { prefix: EXAMPLE_IDS.user, limit: 100 } },
    }),
  },
  documents: { params: bucketParam },
  answer: {
    schema: ObjectEntries,
    description: 'The files and folders',
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
  summary: 'Get the size and type of a file',
  description: 'Returns information about a file, without the file itself.',
  documents: { params: objectParams },
  answer: {
    schema: ObjectInfo,
    description: 'Information about the file',
    example: {
      ...{ id, name: EXAMPLE_PATH, bucket_id: 'user_uploads', version: id, size: metadata.size, metadata: {} },
      ...{ content_type: metadata.mimetype, cache_control: metadata.cacheControl, etag: metadata.eTag },
      ...{ last_modified: updated_at, created_at },
    },
    errors: ['ERR_4007', 'ERR_6002'],
  },
});
