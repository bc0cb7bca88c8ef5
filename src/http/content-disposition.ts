const NAME_CHARACTERS_MAX = 150;

/** A `Content-Disposition` that saves a file as `wanted`, or under its own name where nothing usable was wanted. */
export function attachment(wanted: string, key: string): string {
  const name = safeName(wanted) || safeName(key.slice(key.lastIndexOf('/') + 1)) || 'download';
  const ascii = name.replace(/[^\x20-\x7e]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** No folders, no quotes, nothing invisible, and no dot in front: a name that cannot mislead whoever saves it. */
function safeName(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"%/\\:*?<>|;]/gu, '_')
    .replace(/^[\s._]+/, '')
    .slice(0, NAME_CHARACTERS_MAX)
    .toWellFormed()
    .trim();
}
