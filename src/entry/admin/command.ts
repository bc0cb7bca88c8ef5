/** What a command of the operator's command line is. A new one is a file beside this one, and a line in `commands.ts`. */

/** What a command is given. */
export type AdminTools = {
  env: Record<string, string | undefined>;
  /** Writes a line to standard output: the result. */
  print(line: string): void;
  /** Shows how far the work is, on a terminal alone. */
  progress(line: string): void;
};

export type Command = {
  name: string;
  /** Its arguments, such as `<user> [--json]`. */
  usage: string;
  /** What it does, in a line. */
  summary: string;
  /** Returns the exit code. */
  run(args: string[], tools: AdminTools): Promise<number>;
};

/** The command line cannot be understood: its sentence and the usage are printed, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
