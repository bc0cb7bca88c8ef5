/** The guides' code, in the order of the text. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

export type Guide = {
  name: string;
  /** All its blocks of a language, joined in order: each continues the one before. */
  code(language: string): string;
  languages: string[];
};

export function readGuides(): Guide[] {
  return globSync('docs/guides/*.md', { cwd: ROOT })
    .sort()
    .map((file) => {
      const blocks = [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(FENCE)];
      return {
        name: basename(file, '.md'),
        languages: [...new Set(blocks.map(([, language = '']) => language))],
        code: (wanted) => blocks.flatMap(([, language, text = '']) => (language === wanted ? [text] : [])).join('\n'),
      };
    });
}

/** The client as the guides import it, from its sources. */
export const CLIENT = `${ROOT}client/src/index.ts`;
