/** What `npm run doctor` prints: a line for each finding, which begins with the variable's name. */
import { styleText } from 'node:util';
import type { Finding } from './finding.ts';

export type ReportOptions = { isVerbose: boolean };

const COLOURS = { wrong: 'red', warning: 'yellow', untried: 'dim', fine: 'green' } as const;

export function isWell(findings: Finding[]): boolean {
  return findings.every(({ level }) => level !== 'wrong');
}

export function textReport(findings: Finding[], { isVerbose }: ReportOptions): string {
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level);
  const [wrong, warnings, untried, fine] = [of('wrong'), of('warning'), of('untried'), of('fine')];
  const sections = [
    section(counted(wrong.length, 'thing is wrong', 'things are wrong'), wrong.map(lineOf)),
    section(counted(warnings.length, 'warning', 'warnings'), warnings.map(lineOf)),
    section(
      'Not tried',
      untried.map((finding) => `- ${lineOf(finding)}`),
    ),
    section('Fine', isVerbose ? fine.map((finding) => `- ${lineOf(finding)}`) : []),
    [
      isWell(findings)
        ? styleText('green', 'Nothing is wrong.')
        : styleText('red', 'Set these right, and run this again.'),
    ],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

export function jsonReport(findings: Finding[]): string {
  return JSON.stringify({ ok: isWell(findings), findings }, null, 2);
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [styleText('bold', `${title}:`), ...lines];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function lineOf({ level, name, problem, mend }: Finding): string {
  return `${styleText(COLOURS[level], name)} ${problem}.${mend === undefined ? '' : ` ${mend}`}`.replaceAll(
    /\s+/g,
    ' ',
  );
}
