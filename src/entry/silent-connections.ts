import type { Server } from 'node:http';

/** Event streams send something every 15 seconds; what is awaited before an answer takes less than a minute. */
const SILENCE_MAX_MS = 120_000;

/**
 * Closes connections on which nothing moves. Otherwise a client that opens streams or files and does not read them would keep the
 * connection, and what is buffered for it, for as long as it likes: also after the stream has ended.
 */
export function closeSilentConnections(server: Server, silenceMaxMs = SILENCE_MAX_MS): void {
  server.setTimeout(silenceMaxMs);
}
