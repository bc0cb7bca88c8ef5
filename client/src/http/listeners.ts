/** Calls a listener. An error that it throws is reported as an uncaught one, so that the other listeners are still called. */
export function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
