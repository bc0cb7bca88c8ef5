/**
 * Aborting, also in runtimes whose signals have neither `reason` nor `throwIfAborted`, and which have no DOMException, such as
 * React Native.
 */

/** Why a signal has aborted: what its controller gave, or an error with the standard's name. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}
