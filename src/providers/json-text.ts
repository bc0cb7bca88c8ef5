/**
 * Collects a vendor's JSON piece by piece. Strings that are longer than any that is read here, such as images as data URIs,
 * become empty, so that a small result in a large reply costs little memory. `NaN` and `Infinity`, which Python writes, become
 * `null`, and line ends in strings are escaped.
 */
export type JsonCollector = {
  add(text: string): void;
  /** How many characters are kept so far. */
  length(): number;
  text(): string;
};

/** Signed URLs and messages are shorter. */
const STRING_CHARS_MAX = 16 * 1024;
const NOT_JSON = /-?\b(?:NaN|Infinity)\b/g;
const CONTROL = /\p{Cc}/gu;
/** What of a string follows, up to its closing quote or to a backslash at the end of the text. */
const REST_OF_STRING = /[^"\\]*(?:\\[\s\S][^"\\]*)*/y;

export function createJsonCollector(): JsonCollector {
  let kept = '';
  let outside = '';
  let inside: string | null = null;
  let insideLength = 0;
  let isEscaped = false;

  const closeOutside = () => {
    kept += outside.replaceAll(NOT_JSON, 'null');
    outside = '';
  };
  const addInside = (text: string) => {
    insideLength += text.length;
    inside = insideLength > STRING_CHARS_MAX ? '' : `${inside}${text.replaceAll(CONTROL, escaped)}`;
  };
  const addOutside = (text: string, from: number): number => {
    const quote = text.indexOf('"', from);
    outside += text.slice(from, quote === -1 ? undefined : quote);
    if (quote === -1) return text.length;
    closeOutside();
    inside = '';
    insideLength = 0;
    return quote + 1;
  };
  /** Returns the position after the string, or the end of the text. */
  const addString = (text: string, from: number): number => {
    REST_OF_STRING.lastIndex = isEscaped ? from + 1 : from;
    isEscaped = false;
    REST_OF_STRING.test(text);
    const end = REST_OF_STRING.lastIndex;
    addInside(text.slice(from, end));
    if (text[end] === '\\') {
      addInside('\\');
      isEscaped = true;
      return end + 1;
    }
    if (end === text.length) return end;
    kept += `"${inside}"`;
    inside = null;
    return end + 1;
  };

  return {
    add(text) {
      for (let at = 0; at < text.length; ) at = inside === null ? addOutside(text, at) : addString(text, at);
    },
    length: () => kept.length + outside.length + (inside?.length ?? 0),
    text() {
      closeOutside();
      return inside === null ? kept : `${kept}"${inside}`;
    },
  };
}

function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
