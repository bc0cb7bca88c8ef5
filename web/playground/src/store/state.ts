import type { Job as FullJob, JobSummary, Model, Transaction } from '@rendio/client';
import { browserLanguage, isLanguage, type Language } from '../i18n/index.ts';
import type { PictureProblem, Prepared } from '../lib/image.ts';
import type { Choices } from '../lib/settings.ts';
import { isRecord, isString, isStrings, recall } from '../lib/storage.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** A video job as the page knows it: the list tells less than the job itself. */
export type Job = JobSummary & Partial<Omit<FullJob, keyof JobSummary>>;

/** The picture to animate; what is `Prepared` comes once it is ready. */
export type Picture = Partial<Prepared> & {
  /** Of the file; empty where there was none. */
  name: string;
  isReady: boolean;
  /** Where it is on the server. */
  path: string | null;
  /** How much of it has been sent, 0–1. */
  share: number;
  error: unknown;
};

export type State = {
  language: Language;
  theme: Theme;
  /** Null until they have come. */
  models: Model[] | null;
  credits: number | null;
  /** Newest first; null until they have come. */
  jobs: Job[] | null;
  jobsCursor: string | null;
  /** The job on the stage, and whether its video is to begin by itself. */
  shownId: string | null;
  mayPlay: boolean;
  /** Shapes (`16:9`) of what was ordered on this page, by job. */
  shapes: Record<string, string>;
  /** Nobody answers, or the browser says that there is no network. */
  isLost: boolean;
  /** What keeps the page from starting. */
  trouble: unknown;

  prompt: string;
  modelId: string | null;
  /** By model, kept from one visit to the next. */
  choices: Record<string, Choices>;
  picture: Picture | null;
  /** Why the last file cannot be used. */
  pictureProblem: PictureProblem | null;
  /** Somebody drags a file over the page. */
  isDragging: boolean;
  /** Nobody is told off before they have begun. */
  isTouched: boolean;
  /** What the button says while a wish is on its way. */
  sending: 'uploading' | 'sending' | 'waiting' | null;
  /** Why the server said no, and to which field. */
  refusal: { field: string; error: unknown } | null;

  cancelling: string | null;
  cancelError: unknown;
  historyError: unknown;
  isLoadingMore: boolean;
  /** Jobs that are hidden and will be deleted; those in `undoable` can still be brought back. */
  removing: string[];
  undoable: string[];

  ledger: { rows: Transaction[] | null; cursor: string | null; error: unknown };
  dialog: 'ledger' | 'new-guest' | null;
  /** How a video ended while nobody looked at the page. */
  news: 'completed' | 'failed' | null;
  /** For those who listen. */
  announcement: string;
};

const isChoices = (value: unknown): value is Record<string, Choices> =>
  isRecord(value) && Object.values(value).every(isRecord);
const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

/** What belongs to one account. */
export const NOBODYS = {
  credits: null,
  jobs: null,
  jobsCursor: null,
  shownId: null,
  mayPlay: false,
  shapes: {},
  picture: null,
  pictureProblem: null,
  refusal: null,
  cancelling: null,
  cancelError: null,
  historyError: null,
  ledger: { rows: null, cursor: null, error: null },
} satisfies Partial<State>;

export function initialState(): State {
  return {
    ...NOBODYS,
    language: recall('language', isLanguage) ?? browserLanguage(),
    theme: readTheme(),
    models: null,
    isLost: false,
    trouble: null,
    prompt: '',
    modelId: recall('model', isString) ?? null,
    choices: recall('choices', isChoices) ?? {},
    isDragging: false,
    isTouched: false,
    sending: null,
    isLoadingMore: false,
    removing: recall('removing', isStrings) ?? [],
    undoable: [],
    dialog: null,
    news: null,
    announcement: '',
  };
}

/** As theme.js reads it, before anything is drawn: plain text. */
function readTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return isTheme(theme) ? theme : 'system';
}
