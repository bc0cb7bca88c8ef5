/** A log for isolates: the runtime collects what the console says, one JSON line for each entry. */
import { describeError } from '../../http/describe-error.ts';
import type { Log, LogFields } from '../../kernel/log.ts';
import { logFields } from '../../kernel/log-scope.ts';
import { scrubFields } from '../../kernel/scrub.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Writes entries of `level` and above; the others are not even serialized. */
export function createConsoleLog(level: string, environment: string): Log {
  const lowest = LEVELS.indexOf(level);
  const logAt = (name: 'debug' | 'info' | 'warn' | 'error') => (fields: LogFields, message: string) => {
    if (LEVELS.indexOf(name) < lowest) return;
    const line = { level: name, timestamp: new Date().toISOString(), environment };
    console[name](
      JSON.stringify({ ...line, ...scrubFields({ ...logFields(), ...fields }, describeError), msg: message }),
    );
  };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}
