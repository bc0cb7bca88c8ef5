const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID of any version, in lower case as it is stored and shown; null for anything else. Accepts upper case. */
export function parseUuid(value: unknown): string | null {
  if (typeof value !== 'string' || value.length !== 36) return null;
  const id = value.toLowerCase();
  return UUID.test(id) ? id : null;
}
