/** The log of a real process, kept in memory line by line. */
import { createLog } from '../../src/entry/log.ts';
import type { Log } from '../../src/kernel/log.ts';

export type LoggedLine = Record<string, unknown> & { event?: string; msg: string };

export type KeptLog = {
  log: Log;
  /** Exactly what was written. */
  text(): string;
  lines(event?: string): LoggedLine[];
};

export function keepLog(level = 'trace'): KeptLog {
  const written: string[] = [];
  const stream = { write: (line: string) => void written.push(line) };
  return {
    log: createLog({ level, isPretty: false, environment: 'staging', stream }),
    text: () => written.join(''),
    lines: (event) =>
      written.map((line): LoggedLine => JSON.parse(line)).filter((line) => event === undefined || line.event === event),
  };
}
