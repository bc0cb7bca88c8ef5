/**
 * The device that a simulated device token names: the text after `device:` in the decoded token, up to the first white space,
 * else the token itself. Undefined for a token that decodes to `invalid…`.
 */
import { Buffer } from 'node:buffer';

export function deviceOf(token: string): string | undefined {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text.startsWith('invalid')) return undefined;
  return /device:(\S+)/.exec(text)?.[1] ?? token;
}
