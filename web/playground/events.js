/** Server-sent events over fetch, which can carry a token where EventSource cannot. */
import { openEvents } from './api.js';

/** The server's first words come at once; without them something between us holds the stream back. */
const FIRST_WORD_MS = 5_000;
/** Heartbeats come every 15 s: two missed, and the connection is dead. */
const SILENCE_MS = 35_000;

/** Reads until the stream ends; throws when it breaks off or never begins. Moves `position.lastId` along. */
export async function readEvents(position, { onOpen, onEvent, signal }) {
  const silence = new AbortController();
  let watch = setTimeout(() => silence.abort(), FIRST_WORD_MS);
  try {
    const response = await openEvents(position.lastId, AbortSignal.any([signal, silence.signal]));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    let isOpen = false;
    for (;;) {
      const { done = true, value = '' } = (await reader?.read()) ?? {};
      if (done) return;
      clearTimeout(watch);
      watch = setTimeout(() => silence.abort(), SILENCE_MS);
      if (!isOpen) onOpen();
      isOpen = true;
      const blocks = (text + value).split(/\r?\n\r?\n/);
      text = blocks.pop() ?? '';
      for (const { id, event, data } of blocks.map(parse)) {
        if (id) position.lastId = id;
        if (data) onEvent(event, JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(watch);
  }
}

function parse(block) {
  const lines = block.split(/\r?\n/).map((line) => /^(\w*): ?(.*)$/.exec(line) ?? []);
  return Object.fromEntries(lines.map(([, field, value]) => [field, value]));
}
