/** A vendor with scripted answers, which records the calls that it gets. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  GenerationRequest,
  ProviderName,
  ProviderStatus,
  SubmitOutcome,
  VideoProvider,
} from '../../src/providers/provider.ts';

/** An answer of the vendor, or a function that makes it; the last step of a script is repeated for ever. */
export type Step<Answer> = Answer | ((request: GenerationRequest, signal: AbortSignal) => Promise<Answer>);

/** `accept`: the vendor accepts the job and bills it. */
export type SubmitStep = Step<'accept' | Exclude<SubmitOutcome, { outcome: 'accepted' }>>;
/** `complete`: the finished file is in the adapter's folder until it is released. */
export type StatusStep = Step<'complete' | ProviderStatus>;

export type VendorOptions = {
  name?: ProviderName;
  /** Where the adapter keeps finished files. */
  folder: string;
  submit?: SubmitStep[];
  status?: StatusStep[];
  /** Whether the vendor knows a job by our id, and makes one video even if the job is submitted again. */
  isRepeatable?: boolean;
  pollIntervalMs?: number;
};

export type Vendor = {
  provider: VideoProvider;
  /** How many videos it has billed for each job. */
  bills: Map<string, number>;
  /** Job ids, one for each call of `submit`; the same below for `status` and `cancel`. */
  submits: string[];
  polls: string[];
  cancels: string[];
  /** The jobs of which the adapter still keeps its own copy. */
  spooled: Set<string>;
  /** Replaces the remaining steps of the scripts. */
  script(next: { submit?: SubmitStep[]; status?: StatusStep[] }): void;
};

export function createVendor(options: VendorOptions): Vendor {
  const { name = 'sandbox', folder, isRepeatable = true, pollIntervalMs = 1 } = options;
  let submitSteps: SubmitStep[] = [...(options.submit ?? ['accept'])];
  let statusSteps: StatusStep[] = [...(options.status ?? ['complete'])];
  const vendor: Omit<Vendor, 'provider'> = {
    bills: new Map(),
    submits: [],
    polls: [],
    cancels: [],
    spooled: new Set(),
    script(next) {
      submitSteps = [...(next.submit ?? submitSteps)];
      statusSteps = [...(next.status ?? statusSteps)];
    },
  };

  const accept = ({ jobId }: GenerationRequest): SubmitOutcome => {
    const billed = vendor.bills.get(jobId) ?? 0;
    if (billed === 0 || !isRepeatable) vendor.bills.set(jobId, billed + 1);
    return { outcome: 'accepted', providerJobId: `vendor-${jobId}-${vendor.bills.get(jobId)}` };
  };
  const complete = async ({ jobId }: GenerationRequest): Promise<ProviderStatus> => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${jobId}.mp4`);
    await writeFile(path, `the video of ${jobId}`);
    vendor.spooled.add(jobId);
    return { state: 'completed', video: { from: 'file', path }, thumbnail: null };
  };

  const provider: VideoProvider = {
    name,
    submitIsRepeatable: isRepeatable,
    pollIntervalMs,
    mediaHosts: [],
    async submit(request, signal) {
      vendor.submits.push(request.jobId);
      const answer = await next(submitSteps, request, signal);
      return answer === 'accept' ? accept(request) : answer;
    },
    async status(request, _providerJobId, signal) {
      vendor.polls.push(request.jobId);
      const answer = await next(statusSteps, request, signal);
      return answer === 'complete' ? complete(request) : answer;
    },
    async cancel({ jobId }) {
      vendor.cancels.push(jobId);
    },
    async release(jobId) {
      await rm(join(folder, `${jobId}.mp4`), { force: true });
      vendor.spooled.delete(jobId);
    },
    async close() {},
  };
  return Object.assign(vendor, { provider });
}

async function next<Answer>(steps: Step<Answer>[], request: GenerationRequest, signal: AbortSignal): Promise<Answer> {
  const step = steps.length > 1 ? steps.shift() : steps[0];
  if (step === undefined) throw new Error('the vendor has no scripted answer');
  return isFunction(step) ? step(request, signal) : step;
}

/** Answers are strings and plain objects, never functions. */
function isFunction<Answer>(
  step: Step<Answer>,
): step is (request: GenerationRequest, signal: AbortSignal) => Promise<Answer> {
  return typeof step === 'function';
}

/** A step that never answers: it waits for the abort signal and throws its reason, as `fetch` does. */
export function hang<Answer>(): Step<Answer> {
  return (_request, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
}
