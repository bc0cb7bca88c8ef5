import { parseArgs } from 'node:util';
import { createProgress } from '../progress.ts';
import { type ExamineOptions, examine } from './examine.ts';
import { isWell, jsonReport, textReport } from './report.ts';

const USAGE = `Usage: npm run doctor [-- --verbose] [-- --json]

Tries every key, URL and setting of the environment (.env), and says what to do about what does not work. Changes nothing:
it writes one object to the bucket, and deletes it. Exit code: 0 nothing is wrong, 1 something is, 2 for wrong usage.

  --verbose  also lists what is fine
  --json     prints {ok, findings: [{level, name, problem, mend}]}`;

const OPTIONS = {
  verbose: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export type DoctorOptions = Omit<ExamineOptions, 'progress'> & {
  print(text: string): void;
  printError(text: string): void;
};

/** Returns the exit code. */
export async function runDoctor(words: string[], { print, printError, ...options }: DoctorOptions): Promise<number> {
  const flags = flagsIn(words);
  if (typeof flags === 'string') {
    printError(`${flags}\n\n${USAGE}`);
    return 2;
  }
  if (flags.help) {
    print(USAGE);
    return 0;
  }
  const progress = createProgress(process.stderr);
  const findings = await examine({
    ...options,
    progress: (done, all, running) => progress.show(`${done} of ${all} checks done; still: ${running.join(', ')}`),
  }).finally(() => progress.clear());
  print(flags.json ? jsonReport(findings) : textReport(findings, { isVerbose: flags.verbose }));
  return isWell(findings) ? 0 : 1;
}

function flagsIn(words: string[]): { verbose: boolean; json: boolean; help: boolean } | string {
  try {
    return parseArgs({ args: words, options: OPTIONS }).values;
  } catch (error) {
    return error instanceof Error ? error.message : 'The command line cannot be understood.';
  }
}
