import { stripVTControlCharacters } from 'node:util';

/** One line that is written over, where there is a terminal. */
export function createProgress(stream: NodeJS.WriteStream): { show(line: string): void; clear(): void } {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  const write = (line: string) =>
    stream.write(`\r\u001b[K${stripVTControlCharacters(line).slice(0, stream.columns - 1)}`);
  return { show: write, clear: () => write('') };
}
