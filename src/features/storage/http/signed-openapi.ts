/** How addresses that open by themselves are written into the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import type { Api } from '../../../http/api.ts';
import { BODY_ERRORS, headerParameter, jsonContent, refusals, responses, USER_ERRORS } from '../../../http/openapi.ts';
import { bucketParam, IMAGE_BODY, LIMITED, objectParams, STORAGE, WRITE_DETAILS, WRITE_ERRORS } from './openapi.ts';
import { EXAMPLE_PATH, SignBody, SignedAddress, SignedAddresses, SignManyBody, UploadAddress } from './schemas.ts';

const EXAMPLE_TOKEN = '1795426200.hPj3sZkq0cFQ2m1o7yQn0b2k5e8b1dX4m0p9wq3r6tA';
const READ_ADDRESS = `/object/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const WRITE_ADDRESS = `/object/upload/sign/user_uploads/${EXAMPLE_PATH}?token=${EXAMPLE_TOKEN}`;
const tokenQuery = z.object({
  token: z.string().openapi({ description: 'The signature, as the address came with it.' }),
});
const seconds = { field: 'expiresIn', allowed: { minimum: 1, maximum: 604_800 } };

/** Whoever has the address may use it: there is nobody to be unknown. */
function open<Answers extends Record<string, unknown>>({ 401: _, ...answers }: Answers) {
  return answers;
}

export function describeSigning(api: Api, base: string): void {
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'post',
    path: `${base}/sign/{bucket}/{path}`,
    operationId: 'signObject',
    summary: 'Make an address that opens by itself',
    description: 'For a file of one’s own, and for a week at most.',
    request: {
      params: objectParams,
      body: jsonContent(SignBody, { hour: { summary: 'For an hour', value: { expiresIn: 3600 } } }),
    },
    responses: responses(SignedAddress, {
      description: 'The address',
      example: { signedURL: READ_ADDRESS },
      headers: LIMITED,
      errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007'],
      details: { ERR_4006: seconds },
    }),
  });
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'post',
    path: `${base}/sign/{bucket}`,
    operationId: 'signObjects',
    summary: 'Make many at once',
    description: 'Each path gets its address, or the reason why not.',
    request: {
      params: bucketParam,
      body: jsonContent(SignManyBody, { one: { summary: 'One', value: { expiresIn: 3600, paths: [EXAMPLE_PATH] } } }),
    },
    responses: responses(SignedAddresses, {
      description: 'The addresses, in the order of the paths',
      example: [{ error: null, path: EXAMPLE_PATH, signedURL: READ_ADDRESS }],
      headers: LIMITED,
      errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007'],
      details: { ERR_4006: seconds },
    }),
  });
  describeUploadAddresses(api, `${base}/upload/sign/{bucket}/{path}`);
}

function describeUploadAddresses(api: Api, path: string): void {
  const params = objectParams;
  api.openAPIRegistry.registerPath({
    ...STORAGE,
    method: 'post',
    path,
    operationId: 'signUpload',
    summary: 'Make an address that takes one upload by itself',
    description: 'For two hours, and for this path alone.',
    parameters: [headerParameter('x-upsert', '`true`: what is there may be replaced by it.')],
    request: { params },
    responses: responses(UploadAddress, {
      description: 'The address',
      example: { url: WRITE_ADDRESS, token: EXAMPLE_TOKEN },
      headers: LIMITED,
      errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007', 'ERR_4008'],
      details: { ...WRITE_DETAILS, ERR_4014: { bytes_max: 65_536 }, ERR_4015: { allowed: ['application/json'] } },
    }),
  });
  const refused = refusals(['ERR_4005', 'ERR_4013', ...WRITE_ERRORS], {
    ...WRITE_DETAILS,
    ERR_4005: { reason: 'link' },
  });
  const stored = responses(z.object({ Key: z.string() }).openapi('UploadedObject'), {
    description: 'It is stored',
    example: { Key: `user_uploads/${EXAMPLE_PATH}` },
  });
  api.openAPIRegistry.registerPath({
    tags: STORAGE.tags,
    method: 'put',
    path,
    operationId: 'uploadToSignedAddress',
    summary: 'Upload a picture to such an address',
    description: 'Without a token of one’s own. The rules for pictures are those of `uploadObject`.',
    request: { params, query: tokenQuery, body: IMAGE_BODY },
    responses: open({ ...refused, 200: stored[200] }),
  });
}
