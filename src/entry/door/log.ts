/** A log for isolates: the runtime collects what the console says, one JSON line for each entry. */
import type { Log } from '../../kernel/log.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Writes entries of `level` and above; the others are not even serialized. */
export function createConsoleLog(level: string): Log {
  const lowest = LEVELS.indexOf(level);
  const logAt = (name: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (LEVELS.indexOf(name) < lowest) return;
    console[name](JSON.stringify({ level: name, time: new Date().toISOString(), ...fields, msg: message }));
  };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}
