import pino from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../kernel/log.ts';

/** Logs JSON lines, or readable lines in a developer's terminal. */
export function createLog(level: string, isPretty: boolean): Log {
  const options = { level, base: null };
  if (!isPretty) return pino(options);
  const stream = pretty({
    colorize: process.stdout.isTTY,
    translateTime: 'HH:MM:ss',
    ignore: 'request_id,user_id',
    singleLine: true,
    sync: true,
  });
  return pino(options, stream);
}
