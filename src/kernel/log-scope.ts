/** Fields that every line has which is logged during some work: the id of the request, for example. */
import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<Readonly<Record<string, string>>>();
const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** Runs `work` with these fields beside those that are there already. They reach all that it calls and awaits. */
export function withLogFields<T>(fields: Record<string, string>, work: () => T): T {
  return scope.run({ ...scope.getStore(), ...fields }, work);
}

/** Runs `work` without fields: for what a request has begun and others go on using, such as a connection. */
export function withoutLogFields<T>(work: () => T): T {
  return scope.run(NONE, work);
}

/** The fields at this point. A logger adds them to its line. */
export function logFields(): Readonly<Record<string, string>> {
  return scope.getStore() ?? NONE;
}
