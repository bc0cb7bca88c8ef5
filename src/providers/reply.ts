/** A vendor's answer over HTTP, and every way in which there is none. */
import { errorCodeInChain } from '../kernel/error-code.ts';

/** `text` is null where the body was cut off or is larger than any answer of a vendor's. */
export type Reply = { got: 'reply'; status: number; headers: Headers; text: string | null };
/** `wasSent`: bytes of the request may have reached somebody. */
export type NoReply = { got: 'nothing'; wasSent: boolean; cause: string };

/** An answer with its logs is some kilobytes. */
const BODY_BYTES_MAX = 1024 * 1024;

/** Failures of finding, reaching and trusting the other side: all of them before a request is written. */
const NEVER_SENT =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|DEPTH_ZERO_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+)$/;
/** How Deno says the same. */
const NEVER_CONNECTED = /client error \(Connect\)/;

/** Nobody was asked: the caller's time was up before. */
export const NO_TIME_LEFT: NoReply = { got: 'nothing', wasSent: false, cause: 'there was no time left to ask' };

/** The whole body, up to a megabyte; null where it is larger or does not come to its end. */
export async function readText({ body }: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) return null;
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return null;
  }
}

/** What the body says as JSON; undefined where it is none. */
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

/** What a failure of fetch says about the request; `signal` is the one that the request was made under. */
export function noReplyFrom(error: unknown, signal: AbortSignal): NoReply {
  const code = errorCodeInChain(error);
  const isLocal =
    (code !== null && NEVER_SENT.test(code)) || [...chainOf(error)].some((link) => NEVER_CONNECTED.test(link.message));
  if (isLocal) return { got: 'nothing', wasSent: false, cause: `no connection (${code ?? 'refused'})` };
  if (signal.aborted) return { got: 'nothing', wasSent: true, cause: 'no answer in time' };
  return { got: 'nothing', wasSent: true, cause: `connection lost (${code ?? 'no code'})` };
}
