/** What a vendor's word for the state of a job means; vendors also use words that their documents do not list. */

export type WordMeaning = 'queued' | 'running' | 'completed' | 'failed';

/** Tested in this order: `COMPLETED_WITH_ERRORS` has failed, and `CANCELLATION_REQUESTED` has not ended yet. */
const MEANINGS: readonly [WordMeaning, RegExp][] = [
  ['running', /^(?:CANCELL?ATION_REQUESTED|CANCELL?ING|RETRYING)$/],
  [
    'failed',
    /FAIL|ERROR|CANCEL|ABORT|TIMED?_?OUT|EXPIRED|REJECT|REFUS|DECLIN|DENIED|BLOCK|MODERAT|NSFW|FLAGGED|FILTERED|UNSAFE|INVALID|KILLED|TERMINATED|CRASH|DEAD|LOST|STOPPED|UNSUCCESSFUL/,
  ],
  ['completed', /^(?:COMPLETED?|SUCCE(?:SS|SSFUL|EDED)|DONE|FINISHED|OK|READY)$/],
  ['queued', /QUEUE|PENDING|WAITING|THROTTLED|SCHEDULED|SUBMITTED|ACCEPTED|CREATED|STARTING|NOT_STARTED/],
  ['running', /PROGRESS|RUNNING|PROCESSING|GENERATING|RENDERING|EXECUTING|STARTED|UPLOADING|FINALI[SZ]ING|^ACTIVE$/],
];

/** Null: a word that is not known, or no word. */
export function meaningOf(word: unknown): WordMeaning | null {
  if (typeof word !== 'string') return null;
  const normal = normalized(word);
  return MEANINGS.find(([, words]) => words.test(normal))?.[0] ?? null;
}

/** The kind of failure that the word itself names. */
export function failureNamedBy(word: string): 'timeout' | 'declined' | 'other' {
  const normal = normalized(word);
  if (/TIMED?_?OUT|EXPIRED|DEADLINE/.test(normal)) return 'timeout';
  return /REJECT|REFUS|DECLIN|DENIED|BLOCK|MODERAT|NSFW|FLAGGED|FILTERED|UNSAFE|INVALID/.test(normal)
    ? 'declined'
    : 'other';
}

function normalized(word: string): string {
  return word
    .trim()
    .toUpperCase()
    .replaceAll(/[\s.-]+/g, '_');
}
