const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID of any version in lower case, as we store and show them; null for anything else. Upper case is accepted. */
export function parseUuid(value: unknown): string | null {
  if (typeof value !== 'string' || value.length !== 36) return null;
  const id = value.toLowerCase();
  return UUID.test(id) ? id : null;
}
