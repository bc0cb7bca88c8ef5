/** How the files' URLs are written into the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import type { Api } from '../../../http/api.ts';
import { EXAMPLE_IDS, headerParameter, refusals } from '../../../http/openapi.ts';
import { type HeaderName, headersOf } from '../../../http/openapi-headers.ts';

const FILE = { schema: { type: 'string' as const, format: 'binary' } };
const CONTENT = { 'video/mp4': FILE, 'image/jpeg': FILE, 'image/png': FILE, 'image/webp': FILE };
const HEADERS: HeaderName[] = ['AcceptRanges', 'ETag', 'CacheControl', 'ContentDisposition'];

const request = {
  params: z.object({
    bucket: z.enum(['videos', 'thumbnails', 'user_uploads']).openapi({ example: 'videos' }),
    path: z.string().openapi({
      description:
        '`<user_id>/<yyyy-mm>/<job_id>.mp4`, or `.jpg` in `thumbnails`; `<user_id>/…` in `user_uploads`. Its slashes are part ' +
        'of the URL.',
      example: `${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}.mp4`,
    }),
  }),
  query: z.object({
    token: z.string().openapi({ description: 'The signature, as the URL came with it.' }),
    download: z.string().optional().openapi({
      description: 'Offers the file as a download under this name; under its own where it is empty.',
    }),
  }),
};

const parameters = [
  headerParameter('Range', 'Part of the file, such as `bytes=0-1023`.'),
  headerParameter('If-Range', 'The `ETag` of the file that the range is of.'),
  headerParameter('If-None-Match', 'The `ETag` of the copy at hand.'),
];

export function describeMedia(api: Api, path: string): void {
  const errors = refusals(['ERR_4005', 'ERR_4007', 'ERR_6002'], { ERR_4005: { reason: 'link_expired' } });
  // Whoever has the URL may read: there is nobody to be unknown.
  const { 401: _, ...refused } = errors;
  const unchanged = { description: 'The copy at hand is good', headers: headersOf(HEADERS) };
  const outside = { description: 'The range lies outside the file', headers: headersOf(['ContentRange']) };
  api.openAPIRegistry.registerPath({
    method: 'get',
    path,
    tags: ['Media'],
    operationId: 'getMedia',
    summary: 'A file by its signed URL',
    description:
      'Do not build these URLs: `video_url` and `thumbnail_url` are such URLs, signed again on every read, and `signObject` ' +
      'makes them for uploads. They need no other token, support ranges, and stop working when they expire or when the job ' +
      'or the upload is deleted.',
    request,
    parameters,
    responses: {
      ...refused,
      200: { description: 'The file', headers: headersOf(HEADERS), content: CONTENT },
      206: { description: 'The range', headers: headersOf([...HEADERS, 'ContentRange']), content: CONTENT },
      304: unchanged,
      416: outside,
    },
  });
  api.openAPIRegistry.registerPath({
    method: 'head',
    path,
    tags: ['Media'],
    operationId: 'headMedia',
    summary: 'How large it is, and when it was made',
    description: 'The headers of the GET, without the file.',
    request,
    responses: {
      200: { description: 'The file is there', headers: headersOf(HEADERS) },
      304: unchanged,
      403: { description: '`ERR_4005` unauthorized: the link has expired, or is not ours.', headers: headersOf([]) },
      404: { description: '`ERR_4007` not found.', headers: headersOf([]) },
      500: { description: '`ERR_6003` internal error.', headers: headersOf([]) },
      503: {
        description: '`ERR_6001` or `ERR_6002`: database or storage unavailable.',
        headers: headersOf(['RetryAfter']),
      },
    },
  });
}
