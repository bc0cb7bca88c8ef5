/** The image to animate: uploaded as soon as it is chosen, and named by the request. */

import { RendioError } from '@rendio/client';
import { type ImageProblem, nearestRatio, prepareImage } from '../lib/image.ts';
import { rendio } from '../lib/server.ts';
import { isRecord, isString, readStored, writeStored } from '../lib/storage.ts';
import { selectModel, setChoice, setModel, settingsFor } from './models.ts';
import type { ChosenImage } from './state.ts';
import { currentMessages, getState, update } from './store.ts';

/** For how many videos this browser remembers the source image. */
const REMEMBERED_IMAGES_MAX = 100;

/** The name under which browsers store the image paths by job id. Do not change it: existing browsers have data there. */
const STORED_PATHS = 'pictures';
type Paths = Record<string, string>;
const isPaths = (value: unknown): value is Paths => isRecord(value) && Object.values(value).every(isString);

/** Paths that a request has used. Its job may still need the image. */
const requestedPaths = new Set<string>();
let upload: { path: Promise<string | null>; abort: () => void } | null = null;
/** Resolves when the latest image has been opened. */
let opening: Promise<void> = Promise.resolve();
/** Goes up with every chosen or removed image, so that work on an earlier one can see that it is outdated. */
let version = 0;

/** Uses a file that the user chose, dropped or pasted. If the model takes no image, selects one that does. */
export async function chooseImage(file: Blob, name = ''): Promise<void> {
  const { models } = getState();
  if (!selectModel(getState())?.requires_image) {
    const other = models?.find(({ requires_image }) => requires_image);
    if (!other) return;
    setModel(other.id);
  }
  opening = loadImage(file, name, null);
  await opening;
}

/** Removes the image; deletes it on the server too, if no request has used it. */
export function removeImage(): void {
  const path = getState().image?.path;
  clearImage();
  if (path && !requestedPaths.has(path) && !Object.values(readStored(STORED_PATHS, isPaths) ?? {}).includes(path)) {
    rendio.uploads.remove(path).catch(() => {});
  }
}

/** Aborts the upload and clears the image. */
function clearImage(): void {
  version += 1;
  upload?.abort();
  upload = null;
  update({ image: null, imageProblem: null });
}

async function loadImage(file: Blob, name: string, path: string | null): Promise<void> {
  clearImage();
  const current = version;
  update(({ refusal }) => ({
    image: { name, isReady: false, path, uploadedShare: path ? 1 : 0, error: null },
    refusal: refusal?.field === 'image_url' ? null : refusal,
  }));
  const prepared = await prepareImage(file).catch((): ImageProblem => 'notImage');
  if (current !== version) return;
  if (typeof prepared === 'string') {
    update({ image: null, imageProblem: prepared });
    return;
  }
  updateImage({ isReady: true, ...prepared });
  // An image that is restored comes with the settings of its job.
  if (path) return;
  fitAspectRatio(prepared.width, prepared.height);
  startUpload(prepared.blob, prepared.isCopy ? null : file);
}

/** Selects the aspect ratio that crops the image least. The user may choose another. */
function fitAspectRatio(width: number, height: number): void {
  const model = selectModel(getState());
  const setting = model && settingsFor(model).find(({ name }) => name === 'aspect_ratio');
  if (!model || setting?.kind !== 'choice') return;
  const nearest = nearestRatio(setting.options.map(String), width, height);
  if (nearest) setChoice(model.id, 'aspect_ratio', nearest);
}

function updateImage(change: Partial<ChosenImage>): void {
  update(({ image }) => ({ image: image && { ...image, ...change } }));
}

/** `file`: what to copy if the server refuses the blob, as it refuses animated and slightly damaged images. */
function startUpload(blob: Blob, file: Blob | null): void {
  const current = version;
  const isCurrent = () => current === version;
  const controller = new AbortController();
  updateImage({ error: null, uploadedShare: 0 });
  const onProgress = ({ sent: bytes, total }: { sent: number; total: number }) =>
    isCurrent() && updateImage({ uploadedShare: bytes / total });
  const put = (content: Blob) => rendio.uploads.put(content, { signal: controller.signal, onProgress });
  const path = put(blob)
    .catch(async (error: unknown) => {
      const copy = file && isContentRefused(error) && (await prepareImage(file, true));
      if (!copy || typeof copy === 'string') throw error;
      if (isCurrent()) updateImage(copy);
      return put(copy.blob);
    })
    .then(
      (uploaded) => {
        if (!isCurrent()) return null;
        updateImage({ path: uploaded.path, uploadedShare: 1 });
        update({ announcement: currentMessages().imageUploaded });
        return uploaded.path;
      },
      (error: unknown) => {
        if (isCurrent()) updateImage({ error });
        return null;
      },
    );
  upload = { path, abort: () => controller.abort() };
}

const isContentRefused = (error: unknown) =>
  error instanceof RendioError && ['ERR_4006', 'ERR_4015'].includes(error.code);

/** Uploads the image again if the upload failed. */
export function retryUpload(): void {
  const { image } = getState();
  if (image?.blob && !image.path && (image.error || !upload)) startUpload(image.blob, null);
}

/** The image's path on the server, once it is uploaded; null when the upload failed. */
export async function uploadedPath(): Promise<string | null> {
  await opening;
  retryUpload();
  const { image } = getState();
  return image?.path ?? (await upload?.path) ?? null;
}

/** Remembers that a request has named this path. */
export function markPathRequested(path: string | null | undefined): void {
  if (path) requestedPaths.add(path);
}

/** The server refused the path: the image is uploaded again with the next request. */
export function forgetUploadedPath(): void {
  const { image } = getState();
  if (!image?.path) return;
  requestedPaths.delete(image.path);
  upload = null;
  updateImage({ path: null, uploadedShare: 0 });
}

/** Remembers which image a job was made from, so that removing it from the form does not delete it. */
export function rememberImage(jobId: string, path: string | null | undefined): void {
  if (!path) return;
  const all = Object.entries(readStored(STORED_PATHS, isPaths) ?? {}).filter(([id]) => id !== jobId);
  writeStored(STORED_PATHS, Object.fromEntries([...all, [jobId, path]].slice(-REMEMBERED_IMAGES_MAX)));
}

/** Restores the image that a job was made from, if the server still has it. */
export async function restoreImage(path: string): Promise<void> {
  if (getState().image?.path === path) return;
  markPathRequested(path);
  removeImage();
  const current = version;
  update({ image: { name: '', isReady: false, path, uploadedShare: 1, error: null } });
  const blob = await rendio.uploads.get(path).catch(() => null);
  if (current !== version) return;
  if (blob) await loadImage(blob, '', path);
  else clearImage();
}
