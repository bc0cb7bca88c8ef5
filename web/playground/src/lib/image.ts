/** Pictures from people's devices, made ready to be uploaded: opened, checked, and made smaller where they are too large. */

/** What the server takes, by the first bytes of a file. */
const TAKEN = [
  { at: 0, magic: 'ÿØÿ' },
  { at: 0, magic: '\x89PNG' },
  { at: 8, magic: 'WEBP' },
];
const BYTES_MAX = 10_485_760;
/** The server's bounds for one side and for the whole, in pixels; larger ones are sent as a smaller copy. */
const SIDE_MAX = 10_000;
const PIXELS_MAX = 64_000_000;
/** More than that is no photograph, and would hold the page up for too long. */
const FILE_BYTES_MAX = 200_000_000;
/** Sizes and qualities of a smaller copy: the first that fits is sent. */
const COPIES = [
  { side: 4096, quality: 0.9 },
  { side: 4096, quality: 0.75 },
  { side: 2048, quality: 0.8 },
];
const PREVIEW_SIDE = 1280;

/** What the models take, as the server checks it: so that nobody waits for an upload to hear of it. */
export const SIDE_MIN = 256;
const RATIO_MAX = 2.4;

export type PictureProblem = 'notPicture' | 'tooLarge' | 'tooSmall' | 'oddShape';
export type Prepared = {
  /** What is sent. */
  blob: Blob;
  width: number;
  height: number;
  /** Whether it is a copy, made because the file itself is too large or of another format. */
  isCopy: boolean;
  /** Drawn, since the page's policy lets no picture in from elsewhere. */
  preview: HTMLCanvasElement;
};

/** The file made ready, or why it cannot be used. With `mustCopy` it is drawn anew whatever it is. */
export async function prepare(file: Blob, mustCopy = false): Promise<Prepared | PictureProblem> {
  if (file.size > FILE_BYTES_MAX) return 'tooLarge';
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return 'notPicture';
  try {
    const { width, height } = bitmap;
    if (Math.min(width, height) < SIDE_MIN) return 'tooSmall';
    if (Math.max(width, height) > Math.min(width, height) * RATIO_MAX) return 'oddShape';
    const preview = drawn(bitmap, PREVIEW_SIDE);
    const isRight = Math.max(width, height) <= SIDE_MAX && width * height <= PIXELS_MAX && (await isTaken(file));
    if (isRight && !mustCopy) return { blob: file, width, height, isCopy: false, preview };
    const copy = await smaller(bitmap);
    return copy ? { ...copy, isCopy: true, preview } : 'tooLarge';
  } finally {
    bitmap.close();
  }
}

async function isTaken(file: Blob): Promise<boolean> {
  if (file.size > BYTES_MAX) return false;
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  return TAKEN.some(({ at, magic }) => head.startsWith(magic, at));
}

async function smaller(bitmap: ImageBitmap): Promise<Pick<Prepared, 'blob' | 'width' | 'height'> | null> {
  for (const { side, quality } of COPIES) {
    const canvas = drawn(bitmap, side);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
    if (blob && blob.size <= BYTES_MAX) return { blob, width: canvas.width, height: canvas.height };
  }
  return null;
}

/** The picture on a canvas, neither side longer than `side`; on white, where it is transparent. */
function drawn(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
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

/** The ratio that leaves out the least of a picture. */
export function nearestRatio(options: string[], width: number, height: number): string | undefined {
  const distance = (option: string) => Math.abs(Math.log(ratioOf(option) / (width / height)));
  return options.toSorted((one, other) => distance(one) - distance(other))[0];
}
