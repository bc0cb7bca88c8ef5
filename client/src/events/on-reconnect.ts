/**
 * Calls `onReconnect` when the network comes back or the page becomes visible, and `onOffline` when the network is lost.
 * Returns a function that stops watching. Outside a browser it does nothing.
 */
export function onReconnect(handlers: { onReconnect: () => void; onOffline: () => void }): () => void {
  const { onReconnect, onOffline } = handlers;
  if (typeof document === 'undefined' || typeof addEventListener === 'undefined') return () => {};
  const onVisibilityChange = () => {
    if (document.visibilityState === 'visible') onReconnect();
  };
  addEventListener('online', onReconnect);
  // Without this event the stream may take a minute to notice.
  addEventListener('offline', onOffline);
  document.addEventListener('visibilitychange', onVisibilityChange);
  return () => {
    removeEventListener('online', onReconnect);
    removeEventListener('offline', onOffline);
    document.removeEventListener('visibilitychange', onVisibilityChange);
  };
}
