/** What this browser remembers for the page, or the open page alone where it may not. */
const memory = new Map<string, string>();

/** What was stored under this name, if it still is of the shape that is wanted; else undefined. */
export function recall<T>(name: string, isWanted: (value: unknown) => value is T): T | undefined {
  try {
    const text = read(name);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return isWanted(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try {
    localStorage.setItem(`rendio.${name}`, text);
  } catch {
    // Storage is full or forbidden: the page goes on without.
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`rendio.${name}`);
  } catch {
    return memory.get(name) ?? null;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
export const isString = (value: unknown): value is string => typeof value === 'string';
