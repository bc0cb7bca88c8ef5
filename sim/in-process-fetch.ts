import type { Hono } from 'hono';
import { type SimulatorEnv, wasDropped } from './drop-connection.ts';

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

/** A fetch that calls the apps of `hosts` inside this process, and nothing else: an unknown host does not exist. */
export function inProcessFetch(hosts: ReadonlyMap<string, Hono<SimulatorEnv>>): typeof fetch {
  return async function fetchInProcess(input, init) {
    const request = new Request(input, init);
    const { host } = new URL(request.url);
    const app = hosts.get(host);
    if (!app) throw networkError('ENOTFOUND', `no simulator answers for ${host}`);

    // The caller's own signal: a request's copy of it stops to abort once the request is garbage-collected.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const answer = app.fetch(request, {});
    const response = await (signal ? Promise.race([answer, rejectionBy(signal)]) : answer);
    if (wasDropped(response)) throw networkError('UND_ERR_SOCKET', 'other side closed');
    if (response.headers.has('location') && request.redirect !== 'manual') {
      throw networkError('ERR_REDIRECT', 'a redirect does not leave the simulators');
    }
    return response.body
      ? new Response(response.body.pipeThrough(new TransformStream(), signal ? { signal } : {}), response)
      : response;
  };
}
