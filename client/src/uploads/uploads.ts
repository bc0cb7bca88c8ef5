/** The account's images on the server, for image-to-video models. */

import { abortReason, throwIfAborted } from '../http/abort.ts';
import { ConnectionError } from '../http/errors.ts';
import type { Progress } from '../http/progress.ts';
import { withRetry } from '../http/retry.ts';
import type { Api } from '../session/api.ts';
import type { GenerateRequest } from '../types.ts';
import { fileNameFor, type ImageInput, toTypedBlob } from './image.ts';

const BUCKET = 'user_uploads';

/** `path` is the value for a request's `image_url`: `<account>/<name>`. */
export type Uploaded = { path: string; contentType: string; bytes: number };

/** The video to make. `image` replaces `image_url`, the path of an image that was uploaded. */
export type GenerateInput = GenerateRequest & { image?: ImageInput };

export type PutOptions = {
  /** The file name; an earlier image of this name is replaced. Default: a hash of the content. */
  name?: string;
  /** Default: the type that the first bytes show. */
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Called as the image is sent: continuously in browsers, at the beginning and the end elsewhere. */
  onProgress?: ((progress: Progress) => void) | undefined;
};

export type Uploads = {
  /**
   * Uploads a JPEG, PNG or WebP image of at most 10 MB. Retried when no answer comes, under the same path. Throws
   * RendioError with `ERR_4014` (too large) or `ERR_4015` (not an image of these formats).
   */
  put(image: ImageInput, options?: PutOptions): Promise<Uploaded>;
  /** Downloads an uploaded image. */
  get(path: string, options?: { signal?: AbortSignal }): Promise<Blob>;
  /** Deletes an uploaded image. Succeeds also when there is none. */
  remove(path: string, options?: { signal?: AbortSignal }): Promise<void>;
};

export function createUploads({
  api,
  ownerId,
}: {
  /** Calls the storage. */
  api: Api;
  /** The account that owns the images; onboards when there is none. */
  ownerId: (signal?: AbortSignal) => Promise<string>;
}): Uploads {
  return {
    async put(image, { name, contentType, signal, onProgress } = {}) {
      throwIfAborted(signal);
      const content = await toTypedBlob(image, contentType);
      const path = `${await ownerId(signal)}/${name ?? (await fileNameFor(content))}`;
      const headers = { 'x-upsert': 'true' };
      const call = { method: 'POST', content, headers, signal, onProgress } as const;
      await withRetry(() => api.request(objectPath(path), call), signal);
      return { path, contentType: content.type, bytes: content.size };
    },
    get(path, { signal } = {}) {
      return withRetry(async () => readBlob(await api.open(objectPath(path), { signal }), signal), signal);
    },
    async remove(path, { signal } = {}) {
      const call = { method: 'DELETE', body: { prefixes: [path] }, signal } as const;
      await withRetry(() => api.request(`object/${BUCKET}`, call), signal);
    },
  };
}

const objectPath = (path: string) => `object/${BUCKET}/${path.split('/').map(encodeURIComponent).join('/')}`;

function readBlob(response: Response, signal?: AbortSignal): Promise<Blob> {
  return response.blob().catch((cause) => {
    if (signal?.aborted) throw abortReason(signal);
    throw new ConnectionError('The download of the image was interrupted.', { cause });
  });
}

/** Uploads the input's `image`, if it has one, and returns the request with its path in `image_url`. */
export async function withUploadedImage(
  uploads: Uploads,
  input: GenerateInput,
  { signal, onUpload }: { signal?: AbortSignal; onUpload?: (progress: Progress) => void },
): Promise<GenerateRequest> {
  const { image, ...request } = input;
  if (image === undefined) return request;
  const { path } = await uploads.put(image, { signal, onProgress: onUpload });
  return { ...request, image_url: path };
}
