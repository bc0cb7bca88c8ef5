import { abortReason } from './abort.ts';

/** How much of an upload has been sent, in bytes. */
export type Progress = { sent: number; total: number };

/**
 * A fetch that reports how much of a body of `total` bytes has been sent. In browsers it reports continuously, through
 * XMLHttpRequest; elsewhere only at the beginning and the end, because fetch reports no upload progress.
 */
export function withProgress(
  plainFetch: typeof globalThis.fetch,
  total: number,
  report: (progress: Progress) => void,
): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    report({ sent: 0, total });
    const isBrowser = typeof XMLHttpRequest !== 'undefined';
    const response = await (isBrowser
      ? sendByXhr(url, init, (sent) => report({ sent, total }))
      : plainFetch(url, init));
    if (response.ok) report({ sent: total, total });
    return response;
  };
}

function sendByXhr(
  url: string,
  { method = 'POST', headers, body, signal }: RequestInit,
  onSent: (bytes: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of new Headers(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => onSent(loaded);
    xhr.onload = () => resolve(new Response(xhr.responseText, { status: xhr.status, headers: headersOf(xhr) }));
    xhr.onerror = () => reject(new TypeError('The upload was interrupted.'));
    xhr.onabort = () => reject(signal ? abortReason(signal) : new TypeError('The upload was aborted.'));
    xhr.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    xhr.send(body instanceof Blob ? body : null);
  });
}

function headersOf(xhr: XMLHttpRequest): Headers {
  const lines = xhr.getAllResponseHeaders().trim().split(/\r?\n/);
  return new Headers(
    lines.flatMap((line): [string, string][] => {
      const [name, ...rest] = line.split(': ');
      return name ? [[name, rest.join(': ')]] : [];
    }),
  );
}
