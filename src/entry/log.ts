import pino from 'pino';
import pretty from 'pino-pretty';
import { describeError } from '../http/describe-error.ts';
import type { Log } from '../kernel/log.ts';
import { logFields } from '../kernel/log-scope.ts';
import { scrubFields } from '../kernel/scrub.ts';

export type LogOptions = {
  level: string;
  /** Readable lines for a terminal, in place of JSON. */
  isPretty: boolean;
  /** Standard output by default. */
  stream?: pino.DestinationStream;
  environment: string;
};

/** One line for each entry, with what its request has told of itself, and scrubbed of what is private by its form. */
export function createLog({ level, isPretty, environment, stream }: LogOptions): Log {
  const options: pino.LoggerOptions = {
    level,
    base: isPretty ? null : { environment },
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    // A copy: the library writes into it.
    mixin: () => ({ ...logFields() }),
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => scrubFields(fields, describeError),
    },
  };
  if (!isPretty) return stream ? pino(options, stream) : pino(options);
  const readable = pretty({
    colorize: process.stdout.isTTY,
    timestampKey: 'timestamp',
    translateTime: 'HH:MM:ss',
    ignore: 'request_id,user_id,trace_id,event',
    singleLine: true,
    sync: true,
    ...(stream ? { destination: stream } : {}),
  });
  return pino(options, readable);
}
