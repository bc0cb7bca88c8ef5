/** A stream of events never ends by itself, and the reference UI waits for the end of an answer. */
const LISTEN_MS = 10_000;
/** What most people wait for. */
const ENDING = /^event: (?:completed|failed)$[\s\S]*?\n\n/m;

/** `fetch`, ended when a job has, or after ten seconds: with what the stream has brought by then. */
export async function listenForAWhile(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
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
  // The UI asks where an answer came from, which one that was made here does not know.
  Object.defineProperty(ended, 'url', { value: response.url });
  return ended;
}
