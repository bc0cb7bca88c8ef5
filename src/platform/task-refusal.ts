/** Thrown by work to refuse its task; `reason` is a code-like word, which also travels from a child process to its parent. */
export class TaskRefusal extends Error {
  override readonly name = 'TaskRefusal';
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}
