/** The server cannot start for a reason a person can act on: the message is one sentence for them. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
