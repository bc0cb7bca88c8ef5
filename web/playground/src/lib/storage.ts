/** Values in `localStorage`, or in memory where the storage does not work. */
const memory = new Map<string, string>();

/** The value that was stored under this name, if it still has the wanted type; else undefined. */
export function readStored<T>(name: string, isWanted: (value: unknown) => value is T): T | undefined {
  try {
    const text = readText(name);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return isWanted(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function writeStored(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try {
    localStorage.setItem(`rendio.${name}`, text);
  } catch {
    // The storage is full or not allowed: the value stays in memory.
  }
}

function readText(name: string): string | null {
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
