/** HTTP calls that `fetch` cannot make. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

export type RawReply = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

export type RawOptions = {
  headers?: OutgoingHttpHeaders;
  /** The body, sent one after another; chunked unless `headers` has a Content-Length. */
  chunks?: (string | Uint8Array)[];
  /** The IP address of the caller: any of 127.0.0.0/8. */
  localAddress?: string;
  /** Replaces the URL's path, and is sent unchanged. */
  path?: string;
  /** Without an agent each call opens its own connection. */
  agent?: Agent;
};

/** One connection that several calls use in turn. */
export const oneConnection = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends exactly these headers and bytes. */
export function rawCall(url: string, method: string, options: RawOptions = {}): Promise<RawReply> {
  const { headers = {}, chunks = [], localAddress, path, agent = false } = options;
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { method, headers, agent, timeout: 20_000, ...(localAddress ? { localAddress } : {}), ...(path ? { path } : {}) },
      async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString('utf8'),
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${url}`)));
    call.on('error', reject);
    for (const chunk of chunks) call.write(chunk);
    call.end();
  });
}
