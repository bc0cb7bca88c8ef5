/** Thrown by work to refuse its task. `reason` is a short code, which a child process also sends to its parent. */
export class TaskRefusal extends Error {
  override readonly name = 'TaskRefusal';
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}
