/** Finds the video in a vendor's result. Models name the field differently, and a queue may wrap the result in its envelope. */
import type { VideoSource } from './provider.ts';
import { parseJson } from './reply.ts';

export type FoundVideo = { video: VideoSource; thumbnail: VideoSource | null };

type Field = readonly [name: string, content: unknown];

const VIDEO_FIELD = /^(?:output|generated|result|final|rendered)?(?:videos?(?:url|uri|file|output)?s?|mp4(?:url)?)$/;
const ENVELOPES = new Set([
  'response',
  'payload',
  'result',
  'results',
  'output',
  'outputs',
  'data',
  'artifacts',
  'task',
  'file',
  'files',
  'media',
]);
const URL_FIELDS = new Set(['url', 'uri', 'fileurl', 'downloadurl', 'signedurl', 'href']);
const STILL = /^image\/|\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#])/i;
/** An envelope in an envelope in a list: deeper than that nothing is searched. */
const DEPTH_MAX = 6;

export function findVideo(result: unknown): FoundVideo | null {
  return search(result, 0);
}

function search(value: unknown, depth: number): FoundVideo | null {
  if (depth > DEPTH_MAX) return null;
  if (typeof value === 'string') return fromText(value, depth);
  if (Array.isArray(value)) return firstOf(value, depth);
  if (typeof value !== 'object' || value === null) return null;
  const fields = Object.entries(value).map(([name, content]): Field => [plain(name), content]);
  const contentsOf = (isWanted: (name: string) => boolean) =>
    fields.filter(([name]) => isWanted(name)).map(([, content]) => content);
  const found =
    firstOf(
      contentsOf((name) => VIDEO_FIELD.test(name)),
      depth,
    ) ??
    fileIn(fields) ??
    firstOf(
      contentsOf((name) => ENVELOPES.has(name)),
      depth,
    );
  return found && { ...found, thumbnail: found.thumbnail ?? thumbnailIn(fields) };
}

/** A URL by itself, or a result that is JSON once more. */
function fromText(text: string, depth: number): FoundVideo | null {
  if (/^\s*[{[]/.test(text)) return search(parseJson(text), depth + 1);
  return isHttpUrl(text) && !STILL.test(text) ? { video: { from: 'url', url: text }, thumbnail: null } : null;
}

function firstOf(values: readonly unknown[], depth: number): FoundVideo | null {
  for (const value of values) {
    const found = search(value, depth + 1);
    if (found) return found;
  }
  return null;
}

function fileIn(fields: readonly Field[]): FoundVideo | null {
  const url = fields.find(([name, content]) => URL_FIELDS.has(name) && isHttpUrl(content))?.[1];
  if (typeof url !== 'string') return null;
  const type = fields.find(([name]) => name === 'contenttype' || name === 'mimetype')?.[1];
  if (STILL.test(typeof type === 'string' ? type : url)) return null;
  const bytes = Number(fields.find(([name]) => name === 'filesize' || name === 'sizebytes')?.[1] ?? Number.NaN);
  const isKnown = Number.isSafeInteger(bytes) && bytes > 0;
  return { video: { from: 'url', url, ...(isKnown ? { bytes } : {}) }, thumbnail: null };
}

function thumbnailIn(fields: readonly Field[]): VideoSource | null {
  const content = fields.find(([name]) => name === 'thumbnail' || name === 'thumbnailurl')?.[1];
  const url = typeof content === 'object' && content !== null ? Reflect.get(content, 'url') : content;
  return isHttpUrl(url) ? { from: 'url', url } : null;
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

/** `file_size`, `fileSize` and `file-size` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}
