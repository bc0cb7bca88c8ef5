/** Errors that the queue's library throws where no caller can catch them. The server takes care of them, so no test fails by them. */

/** The library's own files, in the stack of an error. */
const LIBRARY = /[\\/]graphile-worker[\\/]/;
const EVENTS = ['unhandledRejection', 'uncaughtException'] as const;

let isDone = false;

/** Keeps such errors from the listeners that the process has by now: those of the test runner. Call it inside a test. */
export function hideStrayErrorsOfQueue(): void {
  if (isDone) return;
  isDone = true;
  for (const event of EVENTS) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      process.off(event, listener);
      process.on(event as 'uncaughtException', (error, origin) => {
        if (!LIBRARY.test(Object(error).stack ?? '')) listener(error, origin);
      });
    }
  }
}
