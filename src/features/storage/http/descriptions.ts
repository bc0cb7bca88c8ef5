/** What the descriptions of the storage's routes share. */
import { z } from '@hono/zod-openapi';
import { headerParameter, refusals } from '../../../http/openapi.ts';
import { type HeaderName, headersOf } from '../../../http/openapi-headers.ts';
import type { ErrorCode, ProblemDetails } from '../../../kernel/errors.ts';
import { SEGMENT_PATTERN, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import { EXAMPLE_PATH } from './schemas.ts';

const FILE = { type: 'string' as const, format: 'binary' };
const IMAGES = { 'image/jpeg': { schema: FILE }, 'image/png': { schema: FILE }, 'image/webp': { schema: FILE } };
const FILES = { ...IMAGES, 'video/mp4': { schema: FILE } };
const FILE_HEADERS: HeaderName[] = ['AcceptRanges', 'ETag', 'CacheControl', 'ContentDisposition'];

export const WRITE_ERRORS: ErrorCode[] = ['ERR_4006', 'ERR_4008', 'ERR_4014', 'ERR_4015', 'ERR_6002'];
/** The details of a refused upload. */
export const WRITE_DETAILS: Partial<Record<ErrorCode, ProblemDetails>> = {
  ERR_4006: { field: 'path', reason: 'file_name', pattern: SEGMENT_PATTERN },
  ERR_4008: { reason: 'exists' },
  ERR_4014: { bytes_max: UPLOAD_BYTES_MAX },
  ERR_4015: { field: 'file', allowed: ['image/jpeg', 'image/png', 'image/webp'] },
};

export const bucketParam = z.object({
  bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'user_uploads' }),
});
export const objectParams = bucketParam.extend({
  path: z.string().openapi({
    description: '`<user_id>/…`; its slashes are part of the URL. Names consist of letters, digits and `. _ -`.',
    example: EXAMPLE_PATH,
  }),
});

/** The image itself, or a form whose only file it is. */
export const IMAGE_BODY = {
  required: true,
  content: { ...IMAGES, 'multipart/form-data': { schema: { type: 'object' as const, properties: { '': FILE } } } },
};

export const RANGE_PARAMETERS = [
  headerParameter('Range', 'Part of the file, such as `bytes=0-1023`.'),
  headerParameter('If-Range', 'The `ETag` of the file that the range is of.'),
  headerParameter('If-None-Match', 'The `ETag` of the stored copy.'),
];

const UNCHANGED = { description: 'The stored copy is still good', headers: headersOf(FILE_HEADERS) };

/** A file as an answer, whole or in part. */
export function fileResponses(errors: ErrorCode[], details: Partial<Record<ErrorCode, ProblemDetails>> = {}) {
  return {
    ...refusals([...errors, 'ERR_4007', 'ERR_6002'], details),
    200: { description: 'The file', headers: headersOf(FILE_HEADERS), content: FILES },
    206: { description: 'The range', headers: headersOf([...FILE_HEADERS, 'ContentRange']), content: FILES },
    304: UNCHANGED,
    416: { description: 'The range lies outside the file', headers: headersOf(['ContentRange']) },
  };
}

/** The same for HEAD at a signed URL. */
export const FILE_HEAD_RESPONSES = {
  200: { description: 'The file is there', headers: headersOf(FILE_HEADERS) },
  304: UNCHANGED,
  403: { description: '`ERR_4005` unauthorized: the link has expired, or is not ours.', headers: headersOf([]) },
  404: { description: '`ERR_4007` not found.', headers: headersOf([]) },
  500: { description: '`ERR_6003` internal error.', headers: headersOf([]) },
  503: {
    description: '`ERR_6001` or `ERR_6002`: database or storage unavailable.',
    headers: headersOf(['RetryAfter']),
  },
};

/** The responses of a route whose URL is its own permission: no caller is unknown there. */
export function withoutUnauthorized<Responses extends Record<string, unknown>>({ 401: _, ...rest }: Responses) {
  return rest;
}
