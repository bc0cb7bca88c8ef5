/** An event stream does not end by itself, but the reference UI waits for the end of an answer. */
const LISTEN_MS = 10_000;
/** The end of a job, which most users wait for. */
const ENDING = /^event: (?:completed|failed)$[\s\S]*?\n\n/m;

/** Like `fetch`, but ends the answer when a job has ended, or after ten seconds, with the events received by then. */
export async function fetchTimeLimited(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!response.ok || !response.body) return response;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const stop = () => void reader.cancel();
  const timer = setTimeout(stop, LISTEN_MS);
  let text = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += piece.value;
    if (ENDING.test(text)) stop();
  }
  clearTimeout(timer);
  const ended = new Response(text, { status: response.status, headers: response.headers });
  // The UI reads the answer's URL, which a response made here does not have.
  Object.defineProperty(ended, 'url', { value: response.url });
  return ended;
}
