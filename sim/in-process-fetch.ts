import type { Hono } from 'hono';
import { type SimulatorEnv, wasCut } from './cut.ts';

/** A failure as Node's own fetch throws it. */
function networkError(code: string, message: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
}

function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** A fetch that reaches the apps of `hosts` inside this process, and nothing else: an unknown host does not exist. */
export function inProcessFetch(hosts: ReadonlyMap<string, Hono<SimulatorEnv>>): typeof fetch {
  return async function fetchInProcess(input, init) {
    const request = new Request(input, init);
    const { host } = new URL(request.url);
    const app = hosts.get(host);
    if (!app) throw networkError('ENOTFOUND', `no simulator answers for ${host}`);

    // The caller's own: that of a request hears nothing any more once the request has been collected.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const answer = app.fetch(request, {});
    const response = await (signal ? Promise.race([answer, rejectionBy(signal)]) : answer);
    if (wasCut(response)) throw networkError('UND_ERR_SOCKET', 'other side closed');
    if (response.headers.has('location') && request.redirect !== 'manual') {
      throw networkError('ERR_REDIRECT', 'simulators are not left by redirects');
    }
    return response.body
      ? new Response(response.body.pipeThrough(new TransformStream(), signal ? { signal } : {}), response)
      : response;
  };
}
