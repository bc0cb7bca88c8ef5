import type { Given } from '../../app/config/variables.ts';
import type { Check } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';

/** What `readConfig` refuses, and what it would only warn of. */
export const environment: Check = {
  title: 'the environment',
  variable: 'ENVIRONMENT',
  async run({ complaints, misspelt, doubts, given }) {
    const findings: Finding[] = [
      ...complaints.map(({ name, problem, example }) => wrong(name, problem, `Example: ${name}=${example}`)),
      ...misspelt.map(({ name, problem }) => wrong(name, problem, 'Rename it, or remove it.')),
      ...quoted(given),
      ...doubts.map(({ name, problem }) => warning(name, problem, mendOf(problem))),
    ];
    const names = Object.keys(given).filter((name) => findings.every((finding) => finding.name !== name));
    return [...findings, ...names.map((name) => fine(name, 'has a value of the right form'))];
  },
};

/** Docker's `--env-file` keeps the quotes that a shell and a `.env` file take away. JSON begins otherwise. */
function quoted(given: Given): Finding[] {
  return Object.entries(given)
    .filter(([, value]) => /^(["']).*\1$/s.test(value ?? ''))
    .map(([name]) =>
      warning(name, 'has quotes around it, which are part of the value', 'Leave them out where it is set.'),
    );
}

function mendOf(problem: string): string {
  return problem.includes('http')
    ? 'Use https, or a network of your own.'
    : 'Copy the whole key, or remove the variable.';
}
