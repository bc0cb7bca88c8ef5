/** Reads server-sent events as the standard has them (WHATWG HTML, 9.2.6). */

export type SseEvent = { type: string; data: string };

export type SseParser = {
  /** The events that `text` completes, and for each the place in the stream after it. */
  take(text: string): { event: SseEvent | null; lastId: string }[];
};

/** `lastId` is where the stream goes on. A block with an id and no data moves the place alone: its event is null. */
export function createSseParser(lastId = ''): SseParser {
  let rest = '';
  let isStart = true;
  let id = lastId;
  let type = '';
  let data: string[] = [];

  function field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
  }

  function block(): { event: SseEvent | null; lastId: string } {
    const event = data.length > 0 ? { type: type || 'message', data: data.join('\n') } : null;
    type = '';
    data = [];
    return { event, lastId: id };
  }

  return {
    take(text) {
      rest += text;
      if (isStart && rest !== '') {
        rest = rest.replace(/^\uFEFF/, '');
        isStart = false;
      }
      // A carriage return at the end may be half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      const blocks = [];
      for (const line of lines) {
        if (line === '') blocks.push(block());
        else field(line);
      }
      return blocks;
    },
  };
}
