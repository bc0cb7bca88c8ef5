/** Finds what JSON.parse would change without a word: RFC 8259 leaves such texts to the parser, RFC 7493 forbids them. */

export type ChangedValue = { reason: 'number' | 'duplicate_key'; path: PropertyKey[] };

/** An object or array that is open at this point of the text. */
type Level = {
  /** The keys so far; null in an array. */
  keys: Set<string> | null;
  /** Of the current member. */
  at: string | number;
  /** Whether the next string is a key. */
  isAtKey: boolean;
};

/** The strings, numbers and punctuation of a text that JSON.parse accepts. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],:]/g;

/**
 * Returns the first number of `text` that a double cannot hold, or the first key that stands twice in one object; null if
 * there is neither. `text` is valid JSON.
 */
export function findChangedValue(text: string): ChangedValue | null {
  const levels: Level[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    const path = () => levels.map(({ at }) => at);
    if (token === '{') levels.push({ keys: new Set(), at: '', isAtKey: true });
    else if (token === '[') levels.push({ keys: null, at: 0, isAtKey: false });
    else if (token === '}' || token === ']') levels.pop();
    else if (token === ',') goOn(level);
    else if (token.startsWith('"')) {
      if (level?.isAtKey && !takeKey(level, token)) return { reason: 'duplicate_key', path: path() };
    } else if (token !== ':' && !isHeld(token)) return { reason: 'number', path: path() };
  }
  return null;
}

function goOn(level: Level | undefined): void {
  if (typeof level?.at === 'number') level.at += 1;
  else if (level) level.isAtKey = true;
}

/** Enters the member of this key. False if the object has had it before. */
function takeKey(level: Level, token: string): boolean {
  const key: string = JSON.parse(token);
  const isNew = !level.keys?.has(key);
  level.keys?.add(key);
  level.at = key;
  level.isAtKey = false;
  return isNew;
}

/**
 * Whether a double holds the number of this text: not as infinity, not as zero unless it is zero, and a whole number as
 * itself, or as JavaScript writes the double. Fractions are rounded, as everywhere.
 */
function isHeld(text: string): boolean {
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  if (value === 0) return !/^[^eE]*[1-9]/.test(text);
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(text)) return true;
  return BigInt(text) === BigInt(value) || String(value) === text;
}
