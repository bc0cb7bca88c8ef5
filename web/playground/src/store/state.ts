import type {
  Job as FullJob,
  JobSummary,
  Model,
  Product,
  Profile,
  SessionChange,
  SessionInfo,
  Transaction,
} from '@rendio/client';
import { browserLanguage, isLanguage, type Language } from '../i18n/index.ts';
import type { Purchase } from '../lib/app-store.ts';
import type { ImageProblem, PreparedImage } from '../lib/image.ts';
import type { Choices } from '../lib/settings.ts';
import { isRecord, isString, isStrings, readStored } from '../lib/storage.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** A video job as the page knows it: a list has fewer fields than the job itself. */
export type Job = JobSummary & Partial<Omit<FullJob, keyof JobSummary>>;

/** The image to animate; the fields of `PreparedImage` are set once it is ready. */
export type ChosenImage = Partial<PreparedImage> & {
  /** The file's name; empty when it is unknown. */
  name: string;
  isReady: boolean;
  /** Its path on the server, once it is uploaded. */
  path: string | null;
  /** How much of it has been uploaded, 0–1. */
  uploadedShare: number;
  error: unknown;
};

export type AccountTask = 'asking' | 'merging' | 'ending' | 'exporting' | 'deleting';

/** What the shop is doing; `id` is the product's, or that of the refund. */
export type ShopTask = { kind: 'buy' | 'refund' | 'redeem'; id: string };

export type State = {
  language: Language;
  theme: Theme;
  /** Null until loaded. */
  models: Model[] | null;
  credits: number | null;
  /** Newest first; null until loaded. */
  jobs: Job[] | null;
  jobsCursor: string | null;
  /** The job on the stage, and whether its video may start by itself. */
  shownId: string | null;
  mayAutoplay: boolean;
  /** Aspect ratios (`16:9`) of the jobs that were made or played on this page, by job id. */
  aspectRatios: Record<string, string>;
  /** Requests get no answer, or the browser reports that there is no network. */
  isDisconnected: boolean;
  /** Why the page cannot load or follow the account's data. */
  pageError: unknown;

  prompt: string;
  modelId: string | null;
  /** The chosen settings by model id, stored between visits. */
  choices: Record<string, Choices>;
  image: ChosenImage | null;
  /** Why the last chosen file cannot be used. */
  imageProblem: ImageProblem | null;
  /** The user is dragging a file over the page. */
  isDragging: boolean;
  /** Validation errors are highlighted only after the user's first input. */
  isTouched: boolean;
  /** What the button shows while a request is being sent. */
  sending: 'uploading' | 'sending' | 'waiting' | null;
  /** Why the server refused the request, and which field caused it. */
  refusal: { field: string; error: unknown } | null;

  cancelling: string | null;
  cancelError: unknown;
  historyError: unknown;
  isLoadingMore: boolean;
  /** Jobs that are hidden and will be deleted; those in `undoable` can still be restored. */
  removing: string[];
  undoable: string[];

  ledger: { rows: Transaction[] | null; cursor: string | null; error: unknown };
  /** What the account's dialog shows; null until loaded. */
  account: { profile: Profile | null; sessions: SessionInfo[] | null; videos: number | null; error: unknown };
  /** Where users sign in with Apple; null where this page cannot ask Apple. */
  appleUrl: string | null;
  /** What is being done to the account, why the last thing failed, and what the last one has brought. */
  accountTask: AccountTask | null;
  accountError: unknown;
  accountNote: string;
  /** What the shop shows; null until loaded. `storeUrl`: the simulated App Store's, null where there is none. */
  shop: { products: Product[] | null; storeUrl: string | null; purchases: Purchase[] | null; error: unknown };
  /** What the shop is doing, why the last thing failed, and what the last one has brought. */
  shopTask: ShopTask | null;
  shopError: { kind: ShopTask['kind']; error: unknown } | null;
  shopNote: { kind: ShopTask['kind']; text: string } | null;
  /** How the user has come back from the web shop's checkout. */
  shopCheckout: 'success' | 'cancelled' | null;
  /** Why there is no account any more; null while there is one. */
  signedOut: SessionChange['reason'] | null;
  dialog: 'ledger' | 'shop' | 'new-guest' | 'account' | 'delete-account' | null;
  /** How a video ended while the page was in the background. */
  endedInBackground: 'completed' | 'failed' | null;
  /** Read out by screen readers. */
  announcement: string;
};

const isChoices = (value: unknown): value is Record<string, Choices> =>
  isRecord(value) && Object.values(value).every(isRecord);
const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

/** The state that belongs to an account, before it is loaded. */
export const NO_ACCOUNT = {
  credits: null,
  jobs: null,
  jobsCursor: null,
  shownId: null,
  mayAutoplay: false,
  aspectRatios: {},
  image: null,
  imageProblem: null,
  refusal: null,
  cancelling: null,
  cancelError: null,
  historyError: null,
  ledger: { rows: null, cursor: null, error: null },
  account: { profile: null, sessions: null, videos: null, error: null },
  accountError: null,
  accountNote: '',
  shop: { products: null, storeUrl: null, purchases: null, error: null },
  shopError: null,
  shopNote: null,
  signedOut: null,
} satisfies Partial<State>;

export function initialState(): State {
  return {
    ...NO_ACCOUNT,
    language: readStored('language', isLanguage) ?? browserLanguage(),
    theme: readTheme(),
    models: null,
    isDisconnected: false,
    pageError: null,
    prompt: '',
    modelId: readStored('model', isString) ?? null,
    choices: readStored('choices', isChoices) ?? {},
    isDragging: false,
    isTouched: false,
    sending: null,
    isLoadingMore: false,
    removing: readStored('removing', isStrings) ?? [],
    undoable: [],
    appleUrl: null,
    accountTask: null,
    shopTask: null,
    shopCheckout: null,
    dialog: null,
    endedInBackground: null,
    announcement: '',
  };
}

/** The theme that theme.js has applied before the first paint. */
function readTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return isTheme(theme) ? theme : 'system';
}
