/** One request on an HTTP/2 session. */
import { type ClientHttp2Session, constants } from 'node:http2';
import { errorLabel } from '../../kernel/error-code.ts';
import { NoReply, NotTaken, type Reply } from './reply.ts';

export type Request = { path: string; headers: Record<string, string>; body: string };

/** Apple's answers are a reason and a time. */
const TEXT_CHARACTERS_MAX = 4_000;
/** Errors of a session that takes no more requests: this one has not left. */
const ENDED_BEFORE = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION', 'ERR_HTTP2_OUT_OF_STREAMS']);

/** Throws `NoReply`, or `NotTaken`, also when the signal aborts. */
export function exchange(session: ClientHttp2Session, request: Request, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = openStream(session, request);
    const reply: Reply = { status: 0, headers: {}, text: '' };
    let isWhole = false;
    let code: string | undefined;
    const cancel = () => {
      code ??= 'aborted';
      stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      reply.status = Number(headers[':status']);
      reply.headers = plainHeaders(headers);
    });
    stream.on('data', (chunk: string) => {
      if (reply.text.length < TEXT_CHARACTERS_MAX) reply.text += chunk;
    });
    stream.on('end', () => {
      isWhole = true;
    });
    stream.on('error', (error) => {
      code ??= errorLabel(error);
    });
    stream.on('close', () => {
      signal.removeEventListener('abort', cancel);
      // Of a refusal, the reason decides: half of one is none. An acceptance is one by its status.
      if (reply.status === 200 || (reply.status > 0 && isWhole && stream.rstCode === 0)) return resolve(reply);
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && reply.status === 0;
      reject(isRefused ? new NotTaken('refused') : new NoReply(code ?? 'closed'));
    });
    signal.addEventListener('abort', cancel, { once: true });
    stream.end(request.body);
    if (signal.aborted) cancel();
  });
}

function openStream(session: ClientHttp2Session, { path, headers }: Request) {
  try {
    return session.request({ ...headers, ':method': 'POST', ':path': path });
  } catch (error) {
    const code = errorLabel(error);
    throw ENDED_BEFORE.has(code) ? new NotTaken(code) : new NoReply(code);
  }
}

function plainHeaders(headers: object): Record<string, string> {
  const named = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  return Object.fromEntries(named.map(([name, value]) => [name, String(value)]));
}
