/** `headers` has the names in lower case. `text`: the beginning of the body. */
export type Reply = { status: number; headers: Record<string, string>; text: string };

/** There was no answer. Whether the request was carried out is unknown. `code` is the error's, or says what happened. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The host has certainly not carried the request out: it may be sent on another connection at once. */
export class NotTaken extends NoReply {}

/**
 * `connectMs`: for a new connection. `replyMs`: for a request, and for the answer to a ping. `pingEveryMs`: how often a connection is
 * asked whether it still answers. `restMaxMs`: one that was not used for as long is closed.
 */
export type Timing = { connectMs: number; replyMs: number; pingEveryMs: number; restMaxMs: number };
