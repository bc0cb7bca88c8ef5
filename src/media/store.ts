/** The port of the stores for finished media: a folder on disk, or an S3 bucket. */

/** `<bucket>/<path>`, for example `videos/<user_id>/2026-11/<job_id>.mp4`. Segments are `[A-Za-z0-9._-]+`, never `.` or `..`. */
export type MediaKey = string;

/**
 * The object that holds the store's id. It is a key like any other, so it goes along when the files of a store are copied.
 * No user's path can be this one: those begin with a user's id.
 */
export const STORE_ID_KEY: MediaKey = 'videos/rendio-store-id';

export type StoredMedia = { bytes: number; sha256: string };
/** `etag` is strong and quoted, ready for the header. */
export type MediaInfo = { bytes: number; etag: string; modifiedAt: Date };
/** Byte positions, both inclusive. */
export type ByteRange = { start: number; end: number };

/** An object in a list. */
export type ListedMedia = { key: MediaKey; modifiedAt: Date };

export type MediaStore = {
  /**
   * Copies a local file into the store. All or nothing: a reader sees the old object, the new one, or none. Resolves once the
   * store shows the object with its size.
   */
  putFile(key: MediaKey, path: string, signal?: AbortSignal): Promise<StoredMedia>;
  info(key: MediaKey): Promise<MediaInfo | null>;
  /** A stream of the object or of a range of it. Null if the object does not exist. */
  read(key: MediaKey, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
  /** Succeeds if the object does not exist. */
  remove(key: MediaKey): Promise<void>;
  /**
   * All objects of a bucket in pages of bounded size, always in the same order; `after` goes on after an object of an earlier list.
   * Objects that come or go meanwhile may be in it or not. Names that can be no key are left out.
   */
  list(bucket: string, after?: MediaKey | null): AsyncIterable<ListedMedia[]>;
  /** Removes what is left of writes that began before this time and never ended. Returns how many. */
  removeUnfinished(before: Date): Promise<number>;
};
