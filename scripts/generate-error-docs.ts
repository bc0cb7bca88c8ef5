import { ERROR_STATUS, type ErrorCode } from '../src/kernel/errors.ts';
import { LOCALES } from '../src/kernel/locale.ts';
import { EXAMPLE_DETAILS } from '../src/kernel/messages/examples.ts';
import { GUIDANCE } from '../src/kernel/messages/guidance.ts';
import { messageFor } from '../src/kernel/messages/index.ts';

const HEAD = `# Errors

Generated from \`src/kernel/messages\`; \`npm run generate\` writes it.

Every error has the same format:

\`\`\`json
{ "error": { "code": "ERR_4001", "message": "…", "details": { "required": 4, "available": 2 } } }
\`\`\`

Branch on \`code\`, show \`message\` (it follows \`Accept-Language\`: English, Turkish or Spanish), and use the \`details\` that
this page names. The messages below are examples; other details give more precise ones. A code for jobs is the \`error_code\`
of a failed generation; its credits are returned before the code can be read.
`;

/** The whole text of `docs/errors.md`. */
export function generateErrorDocs(): string {
  const codes = Object.keys(ERROR_STATUS) as ErrorCode[];
  return `${HEAD}\n${codes.map(section).join('\n')}`;
}

function section(code: ErrorCode): string {
  const { name, advice } = GUIDANCE[code];
  const sentences = LOCALES.map((locale) => `* ${locale}: ${messageFor(code, locale, EXAMPLE_DETAILS[code])}`);
  return [`## ${code}: ${name}`, '', `HTTP status: ${statuses(code)}`, '', ...sentences, '', advice, ''].join('\n');
}

function statuses(code: ErrorCode): string {
  const { alsoStatus, jobsOnly } = GUIDANCE[code];
  if (jobsOnly) return 'none (jobs only)';
  return [ERROR_STATUS[code], ...(alsoStatus ? [alsoStatus] : [])].join(', ');
}
