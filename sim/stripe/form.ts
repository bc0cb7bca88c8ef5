/** Stripe's requests: forms whose names are paths, such as `line_items[0][quantity]`. */

export type FormValue = string | FormValue[] | { [name: string]: FormValue };
export type Form = { [name: string]: FormValue };

/** Keys of metadata may hold anything but brackets. */
const NAME = /^([^[\]]+)((?:\[[^[\]]*\])*)$/;

/** Reads a form into objects and lists; null for a name that is no path, or that is given twice. */
export function parseForm(text: string): Form | null {
  const form: Form = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [, first, rest = ''] = NAME.exec(name) ?? [];
    if (first === undefined) return null;
    const path = [first, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map(([, part = '']) => part)];
    if (!put(form, path, value)) return null;
  }
  return withLists(form);
}

function put(form: Form, path: string[], value: string): boolean {
  let at = form;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    if (typeof next === 'string' || Array.isArray(next)) return false;
    const child: Form = next ?? {};
    Object.defineProperty(at, name, { value: child, enumerable: true, configurable: true, writable: true });
    at = child;
  }
  const last = path.at(-1) ?? '';
  if (Object.hasOwn(at, last)) return false;
  Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
  return true;
}

/** An object whose names are 0, 1, 2, … is a list. */
function withLists(form: Form): Form {
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, asList(value)]));
}

function asList(value: FormValue): FormValue {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  const isList = entries.length > 0 && entries.every(([name], index) => name === String(index));
  return isList ? entries.map(([, item]) => asList(item)) : withLists(value);
}
