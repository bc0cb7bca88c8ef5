import { type SafeConnection, ssrfSafeRequest } from '../platform/ssrf-safe-request.ts';
import { decodeContent } from './decode-content.ts';

const HEADERS = { 'User-Agent': 'rendio', Accept: 'video/*, image/*', 'Accept-Encoding': 'identity' };

/** Asks for a file at a checked IP address. Resolves when the headers have arrived, with the body unread and without its content coding. */
export function ssrfSafeGet(url: URL, connection: SafeConnection): Promise<Response> {
  return ssrfSafeRequest(url, { ...connection, headers: HEADERS, decode: decodeContent });
}
