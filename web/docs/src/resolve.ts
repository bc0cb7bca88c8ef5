/** What stands in this page's document at a path, with its references replaced by what they name. */

/**
 * The part of `spec` at `path`. Each reference leads to another place of the same document; what is put in its place says
 * by `$$ref` where it is from, as the reference UI wants it. One that leads back to itself stays.
 */
export function resolveWithin(spec: object, path: string[], base: string): unknown {
  return resolved(at(spec, path), []);

  function resolved(value: unknown, open: string[]): unknown {
    if (Array.isArray(value)) return value.map((item) => resolved(item, open));
    if (typeof value !== 'object' || value === null) return value;
    if ('$ref' in value && typeof value.$ref === 'string') return followed(value.$ref, open) ?? value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, open)]));
  }

  function followed(ref: string, open: string[]): object | undefined {
    if (open.includes(ref) || !ref.startsWith('#/')) return undefined;
    const found = resolved(at(spec, ref.slice(2).split('/')), [...open, ref]);
    return typeof found === 'object' && found !== null ? { ...found, $$ref: new URL(ref, base).href } : undefined;
  }
}

function at(spec: object, path: string[]): unknown {
  return path.reduce((place: unknown, key) => (place as Record<string, unknown> | undefined)?.[key], spec);
}
