/** Prepares an image file for upload: opens it, checks it, and makes a smaller copy when it is too large. */

/** The formats that the server accepts, by the first bytes of a file. */
const ACCEPTED_FORMATS = [
  { at: 0, magic: 'ÿØÿ' },
  { at: 0, magic: '\x89PNG' },
  { at: 8, magic: 'WEBP' },
];
const BYTES_MAX = 10_485_760;
/** The server's limits for one side and for the whole image, in pixels. Of a larger image, a smaller copy is sent. */
const SIDE_MAX = 10_000;
const PIXELS_MAX = 64_000_000;
/** A file larger than this is not a photo, and opening it would block the page for too long. */
const FILE_OPEN_BYTES_MAX = 200_000_000;
/** Sizes and qualities of a smaller copy, in the order in which they are tried: the first that fits is sent. */
const COPIES = [
  { side: 4096, quality: 0.9 },
  { side: 4096, quality: 0.75 },
  { side: 2048, quality: 0.8 },
];
const PREVIEW_SIDE = 1280;

/** The models' limits, which the server checks too. Checked here so that users need not wait for an upload to learn of them. */
export const SIDE_MIN = 256;
const RATIO_MAX = 2.4;

export type ImageProblem = 'notImage' | 'tooLarge' | 'tooSmall' | 'oddShape';
export type PreparedImage = {
  /** What is uploaded. */
  blob: Blob;
  width: number;
  height: number;
  /** Whether `blob` is a copy, made because the file is too large or has another format. */
  isCopy: boolean;
  /** A canvas, because the page's security policy does not allow images from `blob:` URLs. */
  preview: HTMLCanvasElement;
};

/** The prepared image, or why the file cannot be used. With `mustCopy` it always makes a copy. */
export async function prepareImage(file: Blob, mustCopy = false): Promise<PreparedImage | ImageProblem> {
  if (file.size > FILE_OPEN_BYTES_MAX) return 'tooLarge';
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return 'notImage';
  try {
    const { width, height } = bitmap;
    if (Math.min(width, height) < SIDE_MIN) return 'tooSmall';
    if (Math.max(width, height) > Math.min(width, height) * RATIO_MAX) return 'oddShape';
    const preview = drawToCanvas(bitmap, PREVIEW_SIDE);
    const isWithinLimits =
      Math.max(width, height) <= SIDE_MAX && width * height <= PIXELS_MAX && (await isAccepted(file));
    if (isWithinLimits && !mustCopy) return { blob: file, width, height, isCopy: false, preview };
    const copy = await makeSmallerCopy(bitmap);
    return copy ? { ...copy, isCopy: true, preview } : 'tooLarge';
  } finally {
    bitmap.close();
  }
}

async function isAccepted(file: Blob): Promise<boolean> {
  if (file.size > BYTES_MAX) return false;
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  return ACCEPTED_FORMATS.some(({ at, magic }) => head.startsWith(magic, at));
}

async function makeSmallerCopy(bitmap: ImageBitmap): Promise<Pick<PreparedImage, 'blob' | 'width' | 'height'> | null> {
  for (const { side, quality } of COPIES) {
    const canvas = drawToCanvas(bitmap, side);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
    if (blob && blob.size <= BYTES_MAX) return { blob, width: canvas.width, height: canvas.height };
  }
  return null;
}

/** The image on a canvas, with no side longer than `side`; transparent parts become white. */
function drawToCanvas(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (context) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

/** Width by height of a ratio such as `16:9`. */
export function ratioOf(text: string): number {
  const [width = 1, height = 1] = text.split(':').map(Number);
  return width / height;
}

/** The aspect ratio that crops the image least. */
export function nearestRatio(options: string[], width: number, height: number): string | undefined {
  const distance = (option: string) => Math.abs(Math.log(ratioOf(option) / (width / height)));
  return options.toSorted((one, other) => distance(one) - distance(other))[0];
}
