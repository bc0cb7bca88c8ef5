/** The picture to animate: chosen, uploaded at once, and sent along with the wish. */

import { RendioError } from '@rendio/client';
import { nearestRatio, type PictureProblem, prepare } from '../lib/image.ts';
import { rendio } from '../lib/server.ts';
import { isRecord, isString, recall, remember } from '../lib/storage.ts';
import { selectModel, setChoice, setModel, settingsFor } from './models.ts';
import type { Picture } from './state.ts';
import { getState, update, words } from './store.ts';

/** So many videos are remembered with the picture that they were made from. */
const REMEMBERED_MAX = 100;

type Paths = Record<string, string>;
const isPaths = (value: unknown): value is Paths => isRecord(value) && Object.values(value).every(isString);

/** Paths that a wish has named: what is on its way needs them. */
const sent = new Set<string>();
let upload: { path: Promise<string | null>; stop: () => void } | null = null;
/** Whether the latest picture is opened yet. */
let opening: Promise<void> = Promise.resolve();
let turn = 0;

/** Takes a file that somebody chose, dropped or pasted; where the model needs no picture, one that does is chosen. */
export async function choosePicture(file: Blob, name = ''): Promise<void> {
  const { models } = getState();
  if (!selectModel(getState())?.requires_image) {
    const other = models?.find(({ requires_image }) => requires_image);
    if (!other) return;
    setModel(other.id);
  }
  opening = take(file, name, null);
  await opening;
}

/** Takes the picture away, also from the server if no video was asked of it. */
export function removePicture(): void {
  const path = getState().picture?.path;
  drop();
  if (path && !sent.has(path) && !Object.values(recall('pictures', isPaths) ?? {}).includes(path)) {
    rendio.uploads.remove(path).catch(() => {});
  }
}

/** Goes on without any picture. */
function drop(): void {
  turn += 1;
  upload?.stop();
  upload = null;
  update({ picture: null, pictureProblem: null });
}

async function take(file: Blob, name: string, path: string | null): Promise<void> {
  drop();
  const mine = turn;
  update(({ refusal }) => ({
    picture: { name, isReady: false, path, share: path ? 1 : 0, error: null },
    refusal: refusal?.field === 'image_url' ? null : refusal,
  }));
  const prepared = await prepare(file).catch((): PictureProblem => 'notPicture');
  if (mine !== turn) return;
  if (typeof prepared === 'string') {
    update({ picture: null, pictureProblem: prepared });
    return;
  }
  change({ isReady: true, ...prepared });
  fitShape(prepared.width, prepared.height);
  if (!path) startUpload(prepared.blob, prepared.isCopy ? null : file);
}

/** The shape that leaves out the least of the picture; people may choose another. */
function fitShape(width: number, height: number): void {
  const model = selectModel(getState());
  const setting = model && settingsFor(model).find(({ name }) => name === 'aspect_ratio');
  if (!model || setting?.kind !== 'choice') return;
  const nearest = nearestRatio(setting.options.map(String), width, height);
  if (nearest) setChoice(model.id, 'aspect_ratio', nearest);
}

function change(news: Partial<Picture>): void {
  update(({ picture }) => ({ picture: picture && { ...picture, ...news } }));
}

/** `file`: what to draw anew if the server does not take the blob, as it takes none that moves or is a little damaged. */
function startUpload(blob: Blob, file: Blob | null): void {
  const mine = turn;
  const isCurrent = () => mine === turn;
  const stopping = new AbortController();
  change({ error: null, share: 0 });
  const onProgress = ({ sent: bytes, total }: { sent: number; total: number }) =>
    isCurrent() && change({ share: bytes / total });
  const put = (content: Blob) => rendio.uploads.put(content, { signal: stopping.signal, onProgress });
  const path = put(blob)
    .catch(async (error: unknown) => {
      const copy = file && isOfContent(error) && (await prepare(file, true));
      if (!copy || typeof copy === 'string') throw error;
      if (isCurrent()) change(copy);
      return put(copy.blob);
    })
    .then(
      (uploaded) => {
        if (!isCurrent()) return null;
        change({ path: uploaded.path, share: 1 });
        update({ announcement: words().pictureReady });
        return uploaded.path;
      },
      (error: unknown) => {
        if (isCurrent()) change({ error });
        return null;
      },
    );
  upload = { path, stop: () => stopping.abort() };
}

const isOfContent = (error: unknown) => error instanceof RendioError && ['ERR_4006', 'ERR_4015'].includes(error.code);

/** Uploads again what did not arrive. */
export function retryUpload(): void {
  const { picture } = getState();
  if (picture?.blob && !picture.path && (picture.error || !upload)) startUpload(picture.blob, null);
}

/** Where the picture is on the server, once it is; null when it is not coming. */
export async function whenUploaded(): Promise<string | null> {
  await opening;
  retryUpload();
  const { picture } = getState();
  return picture?.path ?? (await upload?.path) ?? null;
}

/** A wish names this path. */
export function keepPath(path: string | null | undefined): void {
  if (path) sent.add(path);
}

/** What the server does not take is uploaded anew at the next press. */
export function distrustPath(): void {
  const { picture } = getState();
  if (!picture?.path) return;
  sent.delete(picture.path);
  upload = null;
  change({ path: null, share: 0 });
}

/** Which picture a video is made from, for the next time. */
export function rememberPicture(jobId: string, path: string | null | undefined): void {
  if (!path) return;
  const all = Object.entries(recall('pictures', isPaths) ?? {}).filter(([id]) => id !== jobId);
  remember('pictures', Object.fromEntries([...all, [jobId, path]].slice(-REMEMBERED_MAX)));
}

/** Brings back the picture that a video was made from, where this browser knows it and the server still has it. */
export async function bringBack(jobId: string): Promise<void> {
  const path = recall('pictures', isPaths)?.[jobId];
  if (!path || getState().picture?.path === path) return;
  removePicture();
  const mine = turn;
  update({ picture: { name: '', isReady: false, path, share: 1, error: null } });
  const blob = await rendio.uploads.get(path).catch(() => null);
  if (mine !== turn) return;
  if (blob) await take(blob, '', path);
  else drop();
}
