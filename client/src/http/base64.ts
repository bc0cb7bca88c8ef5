const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The base64 of an ASCII text. Not all runtimes have `btoa`. */
export function base64(text: string): string {
  const bits = Array.from(text, (letter) => letter.charCodeAt(0).toString(2).padStart(8, '0')).join('');
  const digits = (bits.match(/.{1,6}/g) ?? []).map((group) => DIGITS[Number.parseInt(group.padEnd(6, '0'), 2)]);
  return digits.join('').padEnd(Math.ceil(text.length / 3) * 4, '=');
}
