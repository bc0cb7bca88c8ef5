/** The routes of signed URLs: for reading a stored object, and for uploading one. */
import { z } from '@hono/zod-openapi';
import { BODY_ERRORS, EXAMPLE_IDS, headerParameter, jsonContent, refusals, responses } from '../../../http/openapi.ts';
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
import { EXAMPLE_PATH, SignBody, SignedAddress, SignedAddresses, SignManyBody, UploadAddress } from './schemas.ts';

const TAGS = ['Storage'];
const EXAMPLE_TOKEN = '1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA';
const READ_URL = `/object/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const WRITE_URL = `/object/upload/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const token = z.string().openapi({ description: 'The signature, as the URL came with it.' });
const SECONDS = { field: 'expiresIn', allowed: { minimum: 1, maximum: 604_800 } };

export const OPEN_SIGNED = rawPublicRoute({
  method: 'get',
  path: `${SIGN}/{bucket}/{path}`,
  pattern: `${SIGN}/:bucket/*`,
  tags: ['Media'],
  operationId: 'getMedia',
  summary: 'A file by its signed URL',
  description:
    'Do not build these URLs: `video_url` and `thumbnail_url` are such URLs, signed again on every read, and `signObject` ' +
    'makes them for uploads. They need no other token, support ranges, and stop working when they expire or when the job ' +
    'or the upload is deleted.',
  documents: {
    params: z.object({
      bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'videos' }),
      path: z.string().openapi({
        description:
          '`<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. Its slashes are ' +
          'part of the URL.',
        example: `${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}.mp4`,
      }),
    }),
    query: z.object({
      token,
      download: z.string().optional().openapi({
        description: 'Offers the file as a download under this name; under its own where it is empty.',
      }),
    }),
  },
  parameters: RANGE_PARAMETERS,
  responses: withoutUnauthorized(fileResponses(['ERR_4005'], { ERR_4005: { reason: 'link_expired' } })),
  head: {
    operationId: 'headMedia',
    summary: 'Its size, and when it was made',
    description: 'The headers of the GET, without the file.',
    responses: FILE_HEAD_RESPONSES,
  },
});

export const SIGN_OBJECT = userRoute({
  method: 'post',
  path: `${SIGN}/{bucket}/{path}`,
  pattern: `${SIGN}/:bucket/${PATH}`,
  tags: TAGS,
  operationId: 'signObject',
  summary: 'Make a signed URL',
  description: 'For a file of the caller’s own, and for a week at most.',
  request: { body: jsonContent(SignBody, { hour: { summary: 'For an hour', value: { expiresIn: 3600 } } }) },
  documents: { params: objectParams },
  answer: {
    schema: SignedAddress,
    description: 'The URL',
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
  summary: 'Make many at once',
  description: 'Each path gets its URL, or the reason why not.',
  request: {
    body: jsonContent(SignManyBody, { one: { summary: 'One', value: { expiresIn: 3600, paths: [EXAMPLE_PATH] } } }),
  },
  documents: { params: bucketParam },
  answer: {
    schema: SignedAddresses,
    description: 'The URLs, in the order of the paths',
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
  summary: 'Make a URL that accepts one upload',
  description: 'For two hours, and for this path alone.',
  parameters: [headerParameter('x-upsert', '`true`: the upload may replace an existing object.')],
  documents: { params: objectParams },
  takesJson: true,
  answer: {
    schema: UploadAddress,
    description: 'The URL',
    example: { url: WRITE_URL, token: EXAMPLE_TOKEN },
    errors: [...BODY_ERRORS, 'ERR_4007', 'ERR_4008'],
    details: { ...WRITE_DETAILS, ERR_4014: { bytes_max: 65_536 }, ERR_4015: { allowed: ['application/json'] } },
  },
});

const REFUSED = refusals(['ERR_4005', 'ERR_4013', ...WRITE_ERRORS], { ...WRITE_DETAILS, ERR_4005: { reason: 'link' } });
const STORED = responses(z.object({ Key: z.string() }).openapi('UploadedObject'), {
  description: 'It is stored',
  example: { Key: `user_uploads/${EXAMPLE_PATH}` },
});

export const UPLOAD_TO_SIGNED = rawPublicRoute({
  ...UPLOAD_TO,
  method: 'put',
  operationId: 'uploadToSignedAddress',
  summary: 'Upload an image to such a URL',
  description: 'Without a token of the caller’s own. The rules for images are those of `uploadObject`.',
  documents: { params: objectParams, query: z.object({ token }), body: IMAGE_BODY },
  responses: withoutUnauthorized({ ...REFUSED, 200: STORED[200] }),
});
