import pino from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../kernel/log.ts';

/** JSON lines for machines; in a developer's terminal, lines for people. */
export function createLog(level: string, isForPeople: boolean): Log {
  const options = { level, base: null };
  if (!isForPeople) return pino(options);
  const stream = pretty({
    colorize: process.stdout.isTTY,
    translateTime: 'HH:MM:ss',
    ignore: 'request_id,user_id',
    singleLine: true,
    sync: true,
  });
  return pino(options, stream);
}
