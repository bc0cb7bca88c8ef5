/**
 * Whether this runtime's own fetch gives the parts of a response as they arrive. React Native's resolves only when the whole
 * response is there, which a stream never is.
 */
export function canStream(): boolean {
  return typeof Response !== 'undefined' && 'body' in Response.prototype;
}
