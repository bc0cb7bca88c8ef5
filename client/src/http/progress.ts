/** How much of an upload has left this machine, in bytes. */
export type Progress = { sent: number; total: number };

/**
 * A fetch of the same promise that tells how far a body of `total` bytes is: as it goes where there is an XMLHttpRequest, as
 * in pages; elsewhere at its beginning and end, since fetch itself does not say.
 */
export function toldBy(
  plain: typeof globalThis.fetch,
  total: number,
  tell: (progress: Progress) => void,
): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    tell({ sent: 0, total });
    const isPage = typeof XMLHttpRequest !== 'undefined';
    const response = await (isPage ? sendByXhr(url, init, (sent) => tell({ sent, total })) : plain(url, init));
    if (response.ok) tell({ sent: total, total });
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
    const stop = () => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of new Headers(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => onSent(loaded);
    xhr.onload = () => resolve(new Response(xhr.responseText, { status: xhr.status, headers: headersOf(xhr) }));
    xhr.onerror = () => reject(new TypeError('The upload broke off.'));
    xhr.onabort = () => reject(signal?.reason);
    xhr.onloadend = () => signal?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop);
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
