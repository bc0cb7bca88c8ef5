/** The request and response bodies of Supabase Storage's API. */
import { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import type { MediaInfo } from '../../../media/store.ts';
import type { StoredObject } from '../find.ts';
import type { Entry } from '../list.ts';

export const SIGNED_SECONDS_MAX = 365 * 24 * 3600;
const ITEMS_MAX = 1000;
/** Longer than any path. */
const PREFIX_CHARACTERS_MAX = 1000;
const LIMIT_DEFAULT = 100;

export const EXAMPLE_PATH = `${EXAMPLE_IDS.user}/portrait.jpg`;

const expiresIn = z
  .int()
  .min(1)
  .max(SIGNED_SECONDS_MAX)
  .openapi({ description: 'The lifetime in seconds; a year at most.', example: 3600 });

export const SignBody = z.object({ expiresIn }).openapi('SignObject');
export const SignManyBody = z.object({ expiresIn, paths: z.array(z.string()).max(ITEMS_MAX) }).openapi('SignObjects');
export const RemoveBody = z
  .object({
    prefixes: z.array(z.string()).max(ITEMS_MAX).openapi({ description: 'The full paths of files, not of folders.' }),
  })
  .openapi('RemoveObjects');

const COLUMNS = ['name', 'created_at', 'updated_at'] as const;

/** Clients may send other columns. With another column, or without one, the list is sorted by name. */
const sortBy = z
  .object({ column: z.string().nullish(), order: z.string().nullish() })
  .nullish()
  .transform((sort) => ({
    column: COLUMNS.find((column) => column === sort?.column) ?? ('name' as const),
    isDescending: sort?.order === 'desc',
  }))
  .openapi({
    type: ['object', 'null'],
    properties: { column: { type: 'string', enum: [...COLUMNS] }, order: { type: 'string', enum: ['asc', 'desc'] } },
  });

export const ListBody = z
  .object({
    prefix: z
      .string()
      .max(PREFIX_CHARACTERS_MAX)
      .nullish()
      .transform((text) => (text ?? '').split('/').filter(Boolean).join('/'))
      .openapi({
        type: ['string', 'null'],
        description: 'The folder to list. Empty for the root, which contains only the caller’s own folder.',
      }),
    limit: z
      .int()
      .min(1)
      .max(ITEMS_MAX)
      .nullish()
      .transform((count) => count ?? LIMIT_DEFAULT),
    offset: z
      .int()
      .min(0)
      .max(1_000_000)
      .nullish()
      .transform((count) => count ?? 0),
    search: z
      .string()
      .max(200)
      .nullish()
      .transform((text) => text ?? ''),
    sortBy,
  })
  .openapi('ListObjects');

export const Stored = z
  .object({ Id: z.string(), Key: z.string().openapi({ description: '`<bucket>/<path>`' }) })
  .openapi('StoredObject');
export const SignedUrl = z
  .object({ signedURL: z.string().openapi({ description: 'Relative to `/storage/v1`.' }) })
  .openapi('SignedAddress');
export const SignedUrls = z
  .array(z.object({ error: z.string().nullable(), path: z.string(), signedURL: z.string().nullable() }))
  .openapi('SignedAddresses');
export const UploadUrl = z
  .object({ url: z.string().openapi({ description: 'Relative to `/storage/v1`.' }), token: z.string() })
  .openapi('UploadAddress');

const Metadata = z.object({
  size: z.int().nullable(),
  contentLength: z.int().nullable(),
  mimetype: z.string().nullable(),
  eTag: z.string().nullable(),
  cacheControl: z.string(),
  lastModified: z.string(),
});
const dateTime = z.iso.datetime().nullable();
export const ObjectEntry = z
  .object({
    name: z.string(),
    id: z.string().nullable().openapi({ description: 'Null for a folder.' }),
    updated_at: dateTime,
    created_at: dateTime,
    last_accessed_at: dateTime,
    metadata: Metadata.nullable(),
  })
  .openapi('ObjectEntry');
export const ObjectEntries = z.array(ObjectEntry).openapi('ObjectEntries');
export const ObjectInfo = z
  .object({
    id: z.string(),
    name: z.string(),
    bucket_id: z.string(),
    version: z.string(),
    size: z.int(),
    content_type: z.string(),
    cache_control: z.string(),
    etag: z.string(),
    metadata: z.record(z.string(), z.unknown()).openapi({ description: 'What the client sent with the upload.' }),
    last_modified: z.iso.datetime(),
    created_at: z.iso.datetime(),
  })
  .openapi('ObjectInfo');

/** Only the owner may cache a file, and must revalidate it each time. */
const CACHE_CONTROL = 'private, max-age=0';

type Described = { content_type: string | null; bytes: number | null; sha256: string | null; updated_at: Date };

function metadataOf({ content_type, bytes, sha256, updated_at }: Described): z.infer<typeof Metadata> {
  return {
    size: bytes,
    contentLength: bytes,
    mimetype: content_type,
    eTag: sha256 && `"${sha256.slice(0, 32)}"`,
    cacheControl: CACHE_CONTROL,
    lastModified: updated_at.toISOString(),
  };
}

export function presentEntry(entry: Entry): z.infer<typeof ObjectEntry> {
  const { name, id, created_at, updated_at } = entry;
  const updatedAt = updated_at?.toISOString() ?? null;
  const times = { updated_at: updatedAt, created_at: created_at?.toISOString() ?? null, last_accessed_at: updatedAt };
  return { name, id, ...times, metadata: updated_at && metadataOf({ ...entry, updated_at }) };
}

type Removed = { id: string; path: string; created_at: string; updated_at: string } & Omit<Described, 'updated_at'>;

export function presentDeleted({ path, created_at, updated_at, ...row }: Removed): z.infer<typeof ObjectEntry> {
  const times = { created_at: new Date(created_at), updated_at: new Date(updated_at) };
  return presentEntry({ ...row, name: path, ...times });
}

export function presentInfo(found: StoredObject, { bytes, etag }: MediaInfo): z.infer<typeof ObjectInfo> {
  return {
    id: found.id,
    name: found.path,
    bucket_id: found.bucket,
    version: found.id,
    size: bytes,
    content_type: found.contentType,
    cache_control: CACHE_CONTROL,
    etag,
    metadata: { ...found.metadata },
    last_modified: found.updatedAt.toISOString(),
    created_at: found.createdAt.toISOString(),
  };
}
