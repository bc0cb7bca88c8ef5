const NAME_CHARACTERS_MAX = 150;

/** Returns a `Content-Disposition` that saves a file as `requestedName`, or if that is unusable, as the key names it. */
export function attachment(requestedName: string, key: string): string {
  const name = safeName(requestedName) || safeName(key.slice(key.lastIndexOf('/') + 1)) || 'download';
  const ascii = name.replace(/[^\x20-\x7e]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** Replaces path separators, quotes and invisible characters, and strips leading dots: the name cannot mislead a user. */
function safeName(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"%/\\:*?<>|;]/gu, '_')
    .replace(/^[\s._]+/, '')
    .slice(0, NAME_CHARACTERS_MAX)
    .toWellFormed()
    .trim();
}
