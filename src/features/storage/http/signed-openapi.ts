/** The routes of signed URLs, which read a stored object or upload one. */
import { z } from '@hono/zod-openapi';
import {
  BODY_ERRORS,
  EXAMPLE_IDS,
  errorResponses,
  headerParameter,
  jsonContent,
  responses,
} from '../../../http/openapi.ts';
import { rawPublicRoute, userRoute } from '../../../http/route.ts';
import {
  bucketParam,
  FILE_HEAD_RESPONSES,
  fileResponses,
  IMAGE_BODY,
  objectParams,
  RANGE_PARAMETERS,
  WRITE_DETAILS,
  WRITE_ERRORS,
  withoutUnauthorized,
} from './descriptions.ts';
import { PATH, SIGN, SIGN_UPLOAD } from './requests.ts';
import {
  EXAMPLE_PATH,
  SIGNED_SECONDS_MAX,
  SignBody,
  SignedUrl,
  SignedUrls,
  SignManyBody,
  UploadUrl,
} from './schemas.ts';

const TAGS = ['Storage'];
const EXAMPLE_TOKEN = '1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA';
const READ_URL = `/object/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const WRITE_URL = `/object/upload/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const token = z.string().openapi({ description: 'The signature in the signed URL.' });
const SECONDS = { field: 'expiresIn', allowed: { maximum: SIGNED_SECONDS_MAX } };

export const OPEN_SIGNED = rawPublicRoute({
  method: 'get',
  path: `${SIGN}/{bucket}/{path}`,
  pattern: `${SIGN}/:bucket/*`,
  tags: ['Media'],
  operationId: 'getMedia',
  summary: 'Get a file by its signed URL',
  description:
    'Returns the file. Do not build these URLs yourself: `video_url` and `thumbnail_url` are such URLs, newly signed on every ' +
    'read, and `signObject` creates them for uploads. They need no access token, support range requests, and stop working when ' +
    'they expire or when the job or the upload is deleted.',
  documents: {
    params: z.object({
      bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'videos' }),
      path: z.string().openapi({
        description:
          '`<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. The slashes are ' +
          'part of the URL.',
        example: `${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}.mp4`,
      }),
    }),
    query: z.object({
      token,
      download: z.string().optional().openapi({
        description: 'Offers the file as a download under this name, or if empty, under its own.',
      }),
    }),
  },
  parameters: RANGE_PARAMETERS,
  responses: withoutUnauthorized(fileResponses(['ERR_4005'], { ERR_4005: { reason: 'link_expired' } })),
  head: {
    operationId: 'headMedia',
    summary: 'Get the headers of a file by its signed URL',
    description: 'Returns the headers of the GET, such as the file’s size and date, without the file.',
    responses: FILE_HEAD_RESPONSES,
  },
});

export const SIGN_OBJECT = userRoute({
  method: 'post',
  path: `${SIGN}/{bucket}/{path}`,
  pattern: `${SIGN}/:bucket/${PATH}`,
  tags: TAGS,
  operationId: 'signObject',
  summary: 'Create a signed URL',
  description: 'Returns a URL for one of the caller’s own files, valid for a year at most.',
  request: { body: jsonContent(SignBody, { hour: { summary: 'Valid for an hour', value: { expiresIn: 3600 } } }) },
  documents: { params: objectParams },
  answer: {
    schema: SignedUrl,
    description: 'The signed URL',
    example: { signedURL: READ_URL },
    errors: ['ERR_4007'],
    details: { ERR_4006: SECONDS },
  },
});

export const SIGN_OBJECTS = userRoute({
  method: 'post',
  path: `${SIGN}/{bucket}`,
  tags: TAGS,
  operationId: 'signObjects',
  summary: 'Create several signed URLs',
  description: 'Returns for each path its URL, or the reason why there is none.',
  request: {
    body: jsonContent(SignManyBody, {
      one: { summary: 'One file', value: { expiresIn: 3600, paths: [EXAMPLE_PATH] } },
    }),
  },
  documents: { params: bucketParam },
  answer: {
    schema: SignedUrls,
    description: 'The signed URLs, in the order of the paths',
    example: [{ error: null, path: EXAMPLE_PATH, signedURL: READ_URL }],
    errors: ['ERR_4007'],
    details: { ERR_4006: SECONDS },
  },
});

const UPLOAD_TO = { path: `${SIGN_UPLOAD}/{bucket}/{path}`, pattern: `${SIGN_UPLOAD}/:bucket/*`, tags: TAGS };

export const SIGN_UPLOAD_URL = userRoute({
  ...UPLOAD_TO,
  method: 'post',
  operationId: 'signUpload',
  summary: 'Create a signed upload URL',
  description:
    'Returns a URL to which an image can be uploaded without an access token. It is valid for two hours, for this path only.',
  parameters: [headerParameter('x-upsert', '`true` lets the upload replace an existing object.')],
  documents: { params: objectParams },
  takesJson: true,
  answer: {
    schema: UploadUrl,
    description: 'The upload URL',
    example: { url: WRITE_URL, token: EXAMPLE_TOKEN },
    errors: [...BODY_ERRORS, 'ERR_4007', 'ERR_4008'],
    details: {
      ...WRITE_DETAILS,
      ERR_4014: { field: 'body', bytes_max: 65_536 },
      ERR_4015: { allowed: ['application/json'] },
    },
  },
});

const ERRORS = errorResponses(['ERR_4004', 'ERR_4005', 'ERR_4013', ...WRITE_ERRORS], {
  ...WRITE_DETAILS,
  ERR_4005: { reason: 'link' },
});
const STORED = responses(z.object({ Key: z.string() }).openapi('UploadedObject'), {
  description: 'The image is stored',
  example: { Key: `user_uploads/${EXAMPLE_PATH}` },
});

export const UPLOAD_TO_SIGNED = rawPublicRoute({
  ...UPLOAD_TO,
  method: 'put',
  operationId: 'uploadToSignedAddress',
  summary: 'Upload an image to a signed upload URL',
  description:
    'Stores an image without an access token. The rules for images are those of `uploadObject`; the call counts for the ' +
    'account that made the URL.',
  documents: { params: objectParams, query: z.object({ token }), body: IMAGE_BODY },
  responses: withoutUnauthorized({ ...ERRORS, 200: STORED[200] }),
});
