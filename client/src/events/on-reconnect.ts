/** Tells when the network, or somebody to this page, comes back; where there is no page it never does. */
export function onReturn({ onReturn, onLost }: { onReturn: () => void; onLost: () => void }): () => void {
  if (typeof document === 'undefined' || typeof addEventListener === 'undefined') return () => {};
  const onVisible = () => {
    if (document.visibilityState === 'visible') onReturn();
  };
  addEventListener('online', onReturn);
  // A stream may take a minute to notice by itself.
  addEventListener('offline', onLost);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    removeEventListener('online', onReturn);
    removeEventListener('offline', onLost);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
