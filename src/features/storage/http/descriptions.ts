/** OpenAPI parts that the storage routes share. */
import { z } from '@hono/zod-openapi';
import { errorResponses, headerParameter } from '../../../http/openapi.ts';
import { type HeaderName, headersOf } from '../../../http/openapi-headers.ts';
import type { ErrorCode, ProblemDetails } from '../../../kernel/errors.ts';
import { SEGMENT_PATTERN, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import { EXAMPLE_PATH } from './schemas.ts';

const FILE = { type: 'string' as const, format: 'binary' };
const IMAGES = { 'image/jpeg': { schema: FILE }, 'image/png': { schema: FILE }, 'image/webp': { schema: FILE } };
const FILES = { ...IMAGES, 'video/mp4': { schema: FILE } };
const FILE_HEADERS: HeaderName[] = ['AcceptRanges', 'ETag', 'CacheControl', 'ContentDisposition'];

export const WRITE_ERRORS: ErrorCode[] = ['ERR_4006', 'ERR_4008', 'ERR_4014', 'ERR_4015', 'ERR_6002'];
/** The error details of a rejected upload. */
export const WRITE_DETAILS: Partial<Record<ErrorCode, ProblemDetails>> = {
  ERR_4006: { field: 'path', reason: 'file_name', pattern: SEGMENT_PATTERN },
  ERR_4008: { reason: 'exists' },
  ERR_4014: { field: 'file', bytes_max: UPLOAD_BYTES_MAX },
  ERR_4015: { field: 'file', allowed: ['image/jpeg', 'image/png', 'image/webp'] },
};

export const bucketParam = z.object({
  bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'user_uploads' }),
});
export const objectParams = bucketParam.extend({
  path: z.string().openapi({
    description:
      'The path `<user_id>/…`, whose slashes are part of the URL. Names consist of letters, digits, spaces and the ' +
      "characters `. _ - ! ' ( ) * + , : ; = @ & $`.",
    example: EXAMPLE_PATH,
  }),
});

/** The image itself. The form is left to the prose: of a choice between the two, generators make code that does not compile. */
export const IMAGE_BODY = {
  required: true,
  description: 'The bytes of the image. A multipart form with the image as its file is accepted too.',
  content: IMAGES,
};

export const RANGE_PARAMETERS = [
  headerParameter('Range', 'A part of the file, such as `bytes=0-1023`.'),
  headerParameter('If-Range', 'The `ETag` of the file that the range belongs to.'),
  headerParameter('If-None-Match', 'The `ETag` of the cached copy.'),
];

const UNCHANGED = { description: 'The cached copy is still current', headers: headersOf(FILE_HEADERS) };

/** The responses of a route that returns a file, as a whole or in part. */
export function fileResponses(errors: ErrorCode[], details: Partial<Record<ErrorCode, ProblemDetails>> = {}) {
  return {
    ...errorResponses([...errors, 'ERR_4007', 'ERR_6002'], details),
    200: { description: 'The file', headers: headersOf(FILE_HEADERS), content: FILES },
    206: { description: 'The requested range', headers: headersOf([...FILE_HEADERS, 'ContentRange']), content: FILES },
    304: UNCHANGED,
    416: { description: 'The range is outside the file', headers: headersOf(['ContentRange']) },
  };
}

/** The responses of a HEAD at a signed URL. */
export const FILE_HEAD_RESPONSES = {
  200: { description: 'The file exists', headers: headersOf(FILE_HEADERS) },
  304: UNCHANGED,
  403: { description: '`ERR_4005` unauthorized: the link has expired or is not valid.', headers: headersOf([]) },
  404: { description: '`ERR_4007` not found.', headers: headersOf([]) },
  500: { description: '`ERR_6003` internal error.', headers: headersOf([]) },
  503: {
    description: '`ERR_6001` or `ERR_6002`: database or storage unavailable.',
    headers: headersOf(['RetryAfter']),
  },
};

/** Removes the 401, for routes with a signed URL: they need no access token. */
export function withoutUnauthorized<Responses extends Record<string, unknown>>({ 401: _, ...rest }: Responses) {
  return rest;
}
