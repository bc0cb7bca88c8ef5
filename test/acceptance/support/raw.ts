/** Calls that `fetch` is too polite to make. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

export type RawReply = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

export type RawOptions = {
  headers?: OutgoingHttpHeaders;
  /** Sent one after the other, without a length before them. */
  chunks?: (string | Uint8Array)[];
  /** Where the call comes from: any address of 127.0.0.0/8. */
  localAddress?: string;
  /** Instead of the URL's, and sent as it stands. */
  path?: string;
  /** Its connections; by default the call has one of its own. */
  agent?: Agent;
};

/** One connection, kept for call after call. */
export const oneConnection = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends exactly these headers and bytes, on a connection of their own. */
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
