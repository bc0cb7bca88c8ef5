/** Reads a Dockerfile, and runs its steps without Docker: each stage's root is a folder. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

export type DockerStep = { stage: string; workdir: string } & (
  | { kind: 'copy'; from: string | null; sources: string[]; to: string }
  | { kind: 'run'; command: string; user: string }
);
export type DockerImage = {
  steps: DockerStep[];
  /** Of the last stage. */
  final: { stage: string; workdir: string; user: string; env: Record<string, string>; words: Record<string, string[]> };
};

/** Instructions that this file understands; any other fails the test that reads them. */
const CONFIGURATION = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK', 'EXPOSE', 'VOLUME', 'ARG'];

export function readDockerfile(text: string): DockerImage {
  const steps: DockerStep[] = [];
  let final = newStage('');
  for (const line of instructionsOf(text)) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? [];
    const at = { stage: final.stage, workdir: final.workdir };
    if (word === 'FROM') final = newStage(/\sAS\s+(\S+)$/.exec(rest)?.[1] ?? 'image');
    else if (word === 'WORKDIR') final.workdir = posix.resolve(final.workdir, rest);
    else if (word === 'USER') final.user = rest;
    else if (word === 'ENV') final.env[rest.split('=')[0] ?? ''] = rest.slice(rest.indexOf('=') + 1);
    else if (word === 'RUN') steps.push({ ...at, kind: 'run', command: rest, user: final.user });
    else if (word === 'COPY') {
      const from = /^--from=(\S+)\s+/.exec(rest);
      const paths = rest.slice(from?.[0].length ?? 0).split(/\s+/);
      steps.push({ ...at, kind: 'copy', from: from?.[1] ?? null, sources: paths.slice(0, -1), to: paths.at(-1) ?? '' });
    } else {
      assert.ok(CONFIGURATION.includes(word), `an instruction that is not understood: ${line}`);
      const list = /\[.*\]$/s.exec(rest)?.[0];
      if (list) final.words[word] = JSON.parse(list);
    }
  }
  return { steps, final };
}

function newStage(stage: string): DockerImage['final'] {
  return { stage, workdir: '/', user: 'root', env: {}, words: {} };
}

/** One instruction a line, without comments. */
export function instructionsOf(text: string): string[] {
  const code = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  return code
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n');
}

/** Where a path of a stage is on this machine. */
export function pathIn(stages: string, { stage, workdir }: { stage: string; workdir: string }, path = '.'): string {
  return join(stages, stage, posix.resolve(workdir, path));
}

/** Copies as Docker does: a folder's content, a file under its own name. `context` lists the files of the build's context. */
export function copyStep(stages: string, step: DockerStep & { kind: 'copy' }, root: string, context: string[]): void {
  const target = pathIn(stages, step, step.to);
  for (const source of step.sources) {
    if (step.from === null && source === '.') {
      for (const file of context) copy(join(root, file), join(target, file));
      continue;
    }
    const path = step.from === null ? join(root, source) : pathIn(stages, { stage: step.from, workdir: '/' }, source);
    const isInto = !statSync(path).isDirectory() && (step.to.endsWith('/') || step.sources.length > 1);
    copy(path, isInto ? join(target, basename(path)) : target);
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Whether .dockerignore keeps a file out of the context: names at the top, `**` in front of names anywhere, `!` for exceptions. */
export function ignoredBy(root: string): (file: string) => boolean {
  const file = join(root, '.dockerignore');
  assert.ok(existsSync(file));
  const rules = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: line.replace(/^!/, '') }));
  return (name) => {
    const parents = name.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    return rules.reduce(
      (isIgnored, { keeps, pattern }) =>
        parents.some((parent) => posix.matchesGlob(parent, pattern)) ? !keeps : isIgnored,
      false,
    );
  };
}
