/** Resolves the references in a part of this page's document. */

/**
 * The part of `spec` at `path`, with each `$ref` replaced by what it refers to within the same document. The replacement
 * has the reference's URL in `$$ref`, as the reference UI expects. A circular reference stays as it is.
 */
export function resolveWithin(spec: object, path: string[], base: string): unknown {
  return resolve(at(spec, path), []);

  function resolve(value: unknown, open: string[]): unknown {
    if (Array.isArray(value)) return value.map((item) => resolve(item, open));
    if (typeof value !== 'object' || value === null) return value;
    if ('$ref' in value && typeof value.$ref === 'string') return follow(value.$ref, open) ?? value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, open)]));
  }

  function follow(ref: string, open: string[]): object | undefined {
    if (open.includes(ref) || !ref.startsWith('#/')) return undefined;
    const found = resolve(at(spec, ref.slice(2).split('/')), [...open, ref]);
    return typeof found === 'object' && found !== null ? { ...found, $$ref: new URL(ref, base).href } : undefined;
  }
}

function at(spec: object, path: string[]): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string, unknown> | undefined)?.[key], spec);
}
