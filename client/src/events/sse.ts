/** Parses server-sent events as the standard defines them (WHATWG HTML, 9.2.6). */

export type SseEvent = { type: string; data: string };

export type SseParser = {
  /** The blocks that `text` completes, each with the last event id after it. `event` is null for a block without data. */
  push(text: string): { event: SseEvent | null; lastEventId: string }[];
};

/** `lastEventId` is where the stream resumes. */
export function createSseParser(lastEventId = ''): SseParser {
  let rest = '';
  let isStart = true;
  let id = lastEventId;
  let type = '';
  let data: string[] = [];

  function readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
  }

  function endBlock(): { event: SseEvent | null; lastEventId: string } {
    const event = data.length > 0 ? { type: type || 'message', data: data.join('\n') } : null;
    type = '';
    data = [];
    return { event, lastEventId: id };
  }

  return {
    push(text) {
      rest += text;
      if (isStart && rest !== '') {
        rest = rest.replace(/^\uFEFF/, '');
        isStart = false;
      }
      // A carriage return at the end may be the first half of \r\n.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      const blocks = [];
      for (const line of lines) {
        if (line === '') blocks.push(endBlock());
        else readField(line);
      }
      return blocks;
    },
  };
}
