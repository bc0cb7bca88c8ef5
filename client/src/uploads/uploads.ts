/** Pictures of one's own on the server, for the models that animate one. */

import { ConnectionError } from '../http/errors.ts';
import type { Progress } from '../http/progress.ts';
import { repeatable } from '../http/retry.ts';
import type { Api } from '../session/api.ts';
import type { GenerateRequest } from '../types.ts';
import { nameOf, type Picture, typed } from './image.ts';

const BUCKET = 'user_uploads';

/** `path` is what `image_url` of a request takes: `<account>/<name>`. */
export type Uploaded = { path: string; contentType: string; bytes: number };

/** What to pay for, with the picture itself in place of the path of one that was uploaded. */
export type GenerateInput = GenerateRequest & { image?: Picture };

export type PutOptions = {
  /** Under which an earlier one is replaced. Default: one that the content gives, the same for the same picture. */
  name?: string;
  /** Default: what the first bytes say. */
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Hears how far it is: as it goes in a page, at the beginning and the end elsewhere. */
  onProgress?: ((progress: Progress) => void) | undefined;
};

export type Uploads = {
  /**
   * Uploads a picture: JPEG, PNG or WebP, of at most 10 MB. Tried again where no answer comes: it is the same picture under
   * the same path. Throws RendioError with `ERR_4014` (too large) or `ERR_4015` (not such a picture).
   */
  put(picture: Picture, options?: PutOptions): Promise<Uploaded>;
  /** A picture that was uploaded. */
  get(path: string, options?: { signal?: AbortSignal }): Promise<Blob>;
  /** Takes it off the server; also right where there is none. */
  remove(path: string, options?: { signal?: AbortSignal }): Promise<void>;
};

export function createUploads({
  api,
  ownerId,
}: {
  /** Of the storage. */
  api: Api;
  /** Whose pictures they are; opens an account where there is none. */
  ownerId: (signal?: AbortSignal) => Promise<string>;
}): Uploads {
  return {
    async put(picture, { name, contentType, signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const content = await typed(picture, contentType);
      const path = `${await ownerId(signal)}/${name ?? (await nameOf(content))}`;
      const headers = { 'x-upsert': 'true' };
      const call = { method: 'POST', content, headers, signal, onProgress } as const;
      await repeatable(() => api.ask(objectAt(path), call), signal);
      return { path, contentType: content.type, bytes: content.size };
    },
    get(path, { signal } = {}) {
      return repeatable(async () => readWhole(await api.open(objectAt(path), { signal }), signal), signal);
    },
    async remove(path, { signal } = {}) {
      const call = { method: 'DELETE', body: { prefixes: [path] }, signal } as const;
      await repeatable(() => api.ask(`object/${BUCKET}`, call), signal);
    },
  };
}

const objectAt = (path: string) => `object/${BUCKET}/${path.split('/').map(encodeURIComponent).join('/')}`;

function readWhole(response: Response, signal?: AbortSignal): Promise<Blob> {
  return response.blob().catch((cause) => {
    if (signal?.aborted) throw signal.reason;
    throw new ConnectionError('The picture broke off.', { cause });
  });
}

/** The request as it goes to the server: with the path of its picture, which is uploaded first. */
export async function withPath(
  uploads: Uploads,
  input: GenerateInput,
  { signal, onUpload }: { signal?: AbortSignal; onUpload?: (progress: Progress) => void },
): Promise<GenerateRequest> {
  const { image, ...request } = input;
  if (image === undefined) return request;
  const { path } = await uploads.put(image, { signal, onProgress: onUpload });
  return { ...request, image_url: path };
}
