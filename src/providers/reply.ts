/** A vendor's reply over HTTP, and every way in which there is none. */
import { errorCodeInChain } from '../kernel/error-code.ts';
import { createJsonCollector } from './json-text.ts';

/** `text` is null where the body was cut off or is larger than any reply of a vendor. */
export type Reply = { got: 'reply'; status: number; headers: Headers; text: string | null };
/** `wasSent`: bytes of the request may have reached the vendor. */
export type NoReply = { got: 'nothing'; wasSent: boolean; cause: string };

/** Results may hold images and whole clips as data URIs. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** What is left without these has some kilobytes; more would be parsed for too long. */
const KEPT_CHARS_MAX = 4 * 1024 * 1024;

/** Failures of DNS, of the connection and of TLS: all of them happen before a request is written. */
const NEVER_SENT =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|DEPTH_ZERO_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+)$/;
/** Deno's message for the same. */
const NEVER_CONNECTED = /client error \(Connect\)/;

/** Nothing was sent: the caller's time was over before. */
export const NO_TIME_LEFT: NoReply = {
  got: 'nothing',
  wasSent: false,
  cause: 'there was no time left for the request',
};

/** The body as a `JsonCollector` keeps it; null where it is larger than any reply of a vendor, or cut off. */
export async function readText({ body }: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  const json = createJsonCollector();
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      json.add(decoder.decode(chunk, { stream: true }));
      if (bytes > BODY_BYTES_MAX || json.length() > KEPT_CHARS_MAX) return null;
    }
    json.add(decoder.decode());
    return json.text();
  } catch {
    return null;
  }
}

/** The body as JSON; undefined where it is none. */
export function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The error and what caused it, the outermost first. */
function* chainOf(error: unknown): Generator<Error> {
  for (let link = error; link instanceof Error; link = link.cause) yield link;
}

/** What a failure of fetch says about the request; `signal` is the one that was given to fetch. */
export function noReplyFrom(error: unknown, signal: AbortSignal): NoReply {
  const code = errorCodeInChain(error);
  const isLocal =
    (code !== null && NEVER_SENT.test(code)) || [...chainOf(error)].some((link) => NEVER_CONNECTED.test(link.message));
  if (isLocal) return { got: 'nothing', wasSent: false, cause: `no connection (${code ?? 'refused'})` };
  if (signal.aborted) return { got: 'nothing', wasSent: true, cause: 'no answer in time' };
  return { got: 'nothing', wasSent: true, cause: `connection lost (${code ?? 'no code'})` };
}
