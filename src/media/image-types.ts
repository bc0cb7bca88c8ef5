/** Types for images that users upload. */

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** `width` and `height` as displayed, after the rotation that the EXIF orientation asks for. */
export type Image = { contentType: ImageType; width: number; height: number };

/**
 * `other`: none of the three types. `damaged`: truncated, or malformed for its type. `animated`: not a still image.
 * `side`, `pixels`: the length of a side, or the number of pixels, is outside `IMAGE_BOUNDS`.
 */
export type ImageFault = 'other' | 'damaged' | 'animated' | 'side' | 'pixels';
