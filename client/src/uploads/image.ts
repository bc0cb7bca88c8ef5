/** A picture as it goes to the server: what it is, and the name that its content gives it. */

/** A file of a form, or bytes. */
export type Picture = Blob | Uint8Array<ArrayBuffer> | ArrayBuffer;

const KINDS = [
  { type: 'image/jpeg', extension: 'jpg', at: 0, magic: 'ÿØÿ' },
  { type: 'image/png', extension: 'png', at: 0, magic: '\x89PNG\r\n\x1a\n' },
  { type: 'image/webp', extension: 'webp', at: 8, magic: 'WEBP' },
] as const;
const MAGIC_BYTES = 12;

/** The picture as a blob of the type that its first bytes say, or else of the one that it came with. */
export async function typed(picture: Picture, contentType?: string): Promise<Blob> {
  const blob = picture instanceof Blob ? picture : new Blob([picture]);
  if (contentType) return blob.slice(0, blob.size, contentType);
  const head = String.fromCharCode(...new Uint8Array(await blob.slice(0, MAGIC_BYTES).arrayBuffer()));
  const kind = KINDS.find(({ at, magic }) => head.startsWith(magic, at));
  return blob.slice(0, blob.size, kind?.type ?? (blob.type || 'application/octet-stream'));
}

/** The same content has the same name: uploading it again changes nothing, and a request that names it stays the same. */
export async function nameOf(blob: Blob): Promise<string> {
  const bytes = await blob.arrayBuffer();
  const extension = KINDS.find(({ type }) => type === blob.type)?.extension ?? 'bin';
  return `${crypto.subtle ? await sha256(bytes) : plainHash(new Uint8Array(bytes))}.${extension}`;
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Where the page came over plain http there is no `crypto.subtle`. Four 32-bit FNV-1a hashes tell one's own pictures apart;
 * nobody else's are under the same path.
 */
function plainHash(bytes: Uint8Array): string {
  const words = [0x811c9dc5, 0x1b873593, 0xcc9e2d51, 0x85ebca6b].map((seed) => {
    let hash = seed;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  });
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
