/** The types that supabase-swift decodes (Sources/Auth/Types.swift, Sources/Storage/Types.swift), as strict as its decoder. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Reply } from '../api.ts';

/** `UUID(uuidString:)` takes either case. */
const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
/** Foundation's ISO 8601 format: UTC, with three digits of a second or none. */
const date = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/);
/** A Swift optional: null, or left out. */
const optional = <T extends z.ZodType>(type: T) => type.nullish();
const json = z.record(z.string(), z.unknown());

const UserIdentity = z.object({
  id: z.string(),
  identity_id: uuid,
  user_id: uuid,
  identity_data: optional(json),
  provider: z.string(),
  created_at: optional(date),
  last_sign_in_at: optional(date),
  updated_at: optional(date),
});

export const User = z.object({
  id: uuid,
  app_metadata: json,
  user_metadata: json,
  aud: z.string(),
  email: optional(z.string()),
  phone: optional(z.string()),
  created_at: date,
  confirmed_at: optional(date),
  email_confirmed_at: optional(date),
  phone_confirmed_at: optional(date),
  last_sign_in_at: optional(date),
  role: optional(z.string()),
  updated_at: date,
  identities: optional(z.array(UserIdentity)),
  is_anonymous: z.boolean(),
  factors: optional(z.array(z.never())),
});

export const Session = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.number(),
  expires_at: z.number(),
  refresh_token: z.string(),
  provider_token: optional(z.string()),
  provider_refresh_token: optional(z.string()),
  user: User,
});

const text = optional(z.string());
const Jwk = z.object({
  kty: z.string(),
  key_ops: optional(z.array(z.string())),
  ...{ alg: text, kid: text, n: text, e: text, crv: text, x: text, y: text, k: text },
});
export const Jwks = z.object({ keys: z.array(Jwk).min(1) });

export const FileObject = z.object({
  name: z.string(),
  bucket_id: text,
  owner: text,
  id: optional(uuid),
  updated_at: optional(date),
  created_at: optional(date),
  last_accessed_at: optional(date),
  metadata: optional(json),
  buckets: z.undefined().optional(),
});
export const FileObjectV2 = z.object({
  id: z.string(),
  version: z.string(),
  name: z.string(),
  bucket_id: text,
  updated_at: optional(date),
  created_at: optional(date),
  last_accessed_at: optional(date),
  size: optional(z.int()),
  cache_control: text,
  content_type: text,
  etag: text,
  last_modified: optional(date),
  metadata: optional(json),
});
export const UploadResponse = z.object({ Key: z.string(), Id: z.string() });
/** A relative URL that `URLComponents` parses, with a query to which more is added. */
const signedUrl = z.string().regex(/^\/object\/sign\/[\w./%~-]+\?token=[\w.~-]+$/);
export const SignedUrl = z.object({ signedURL: signedUrl });
export const SignedUrls = z.array(z.object({ signedURL: optional(signedUrl), path: z.string(), error: text }));
export const StorageError = z.object({ statusCode: text, message: z.string(), error: text });

/** Fields that are all optional, but of their type where they are there. */
const AuthFailure = z.object({
  ...{ msg: text, message: text, error_description: text, error: text, code: text, error_code: text },
  weak_password: optional(z.object({ reasons: optional(z.array(z.string())) })),
});

/** Returns what the decoder makes of a body. */
export function assertDecodes<T extends z.ZodType>(type: T, body: unknown): z.infer<T> {
  const { data, error } = type.safeParse(body);
  assert.ok(data !== undefined, `${error && z.prettifyError(error)}\nin ${JSON.stringify(body)}`);
  return data;
}

/** Asserts the code that the client finds in an error; null if it has none. */
export function assertAuthError(reply: Reply<unknown>, status: number, code: string | null): void {
  assert.equal(reply.status, status, reply.text);
  const failure = assertDecodes(AuthFailure, reply.body);
  const isVersioned = (reply.headers.get('x-supabase-api-version') ?? '') >= '2024-01-01';
  assert.equal((isVersioned ? failure.code : null) ?? failure.error_code ?? null, code, reply.text);
  assert.ok(failure.msg ?? failure.message ?? failure.error_description ?? failure.error);
}
