import { type Check, type Finding, fine, warning, wrong } from './check.ts';

/** What `readConfig` refuses, and what it would only warn of. */
export const environment: Check = {
  title: 'the environment',
  variable: 'ENVIRONMENT',
  async run({ complaints, misspelt, doubts, given }) {
    const findings: Finding[] = [
      ...complaints.map(({ name, problem, example }) => wrong(name, problem, `Example: ${name}=${example}`)),
      ...misspelt.map(({ name, problem }) => wrong(name, problem, 'Rename it, or remove it.')),
      ...doubts.map(({ name, problem }) => warning(name, problem, mendOf(problem))),
    ];
    const names = Object.keys(given).filter((name) => findings.every((finding) => finding.name !== name));
    return [...findings, ...names.map((name) => fine(name, 'has a value of the right form'))];
  },
};

function mendOf(problem: string): string {
  return problem.includes('http')
    ? 'Use https, or a network of your own.'
    : 'Copy the whole key, or remove the variable.';
}
