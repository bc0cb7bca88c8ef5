/** The words in which images are spoken of. */

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** `width` and `height` as it is shown, with the turn that its EXIF asks for. */
export type Image = { contentType: ImageType; width: number; height: number };

/**
 * `other`: none of the three. `damaged`: it breaks off, or is not built as its kind is. `animated`: it moves already.
 * `side`, `pixels`: a side, or the whole, is outside `PICTURE_BOUNDS`.
 */
export type ImageFault = 'other' | 'damaged' | 'animated' | 'side' | 'pixels';
