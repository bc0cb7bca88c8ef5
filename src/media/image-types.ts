/** Types for images that users upload. */

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** Enough for every phone camera; larger images are made to exhaust their decoder. */
export const IMAGE_BOUNDS = { sideMin: 64, sideMax: 10_000, pixelsMax: 64_000_000 } as const;

/** `width` and `height` as displayed, after the rotation that the EXIF orientation asks for. */
export type Image = { contentType: ImageType; width: number; height: number };

/**
 * `other`: none of the three types. `damaged`: its pixels do not decode, or not all of them. `animated`: not a still image.
 * `side`, `pixels`: the length of a side, or the number of pixels, is outside `IMAGE_BOUNDS`.
 */
export type ImageFault = 'other' | 'damaged' | 'animated' | 'side' | 'pixels';

/** Thrown inside the checks of a format; `inspectImage` returns its fault. */
export class BadImage extends Error {
  override readonly name = 'BadImage';
  readonly fault: ImageFault;

  constructor(fault: ImageFault) {
    super(fault);
    this.fault = fault;
  }
}

export function damagedUnless(condition: boolean): asserts condition {
  if (!condition) throw new BadImage('damaged');
}

/** Throws a `BadImage` for a size that is not accepted. It is checked before anything is decoded. */
export function checkSize(width: number, height: number): void {
  damagedUnless(width > 0 && height > 0);
  const { sideMin, sideMax, pixelsMax } = IMAGE_BOUNDS;
  if (Math.min(width, height) < sideMin || Math.max(width, height) > sideMax) throw new BadImage('side');
  if (width * height > pixelsMax) throw new BadImage('pixels');
}

/**
 * A check that stops after a bounded number of steps, again and again, so that other work can run in between. Its result is
 * the size as displayed.
 */
export type ImageSteps = AsyncGenerator<void, { width: number; height: number }>;
