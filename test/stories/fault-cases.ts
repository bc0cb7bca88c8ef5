/** Every fault that the control panels can cause, as cases: which vendor, what goes wrong, and the required result. */
import type { Outcome as FalOutcome } from '../../sim/fal/outcome.ts';
import type { WebhookFault } from '../../sim/fal/webhook-faults.ts';
import type { FaultInput } from '../../sim/faults.ts';
import type { Outcome as RunwayOutcome } from '../../sim/runway/outcome.ts';

export type VendorName = 'fal' | 'runway';

/** `video`: it must be completed. A code: it must have failed with it. */
export type Ending = 'video' | 'ERR_5001' | 'ERR_5002' | 'ERR_5003' | 'ERR_5005';

export type FaultCase = {
  vendor: VendorName;
  where: string;
  what: string;
  faults?: FaultInput[];
  webhook?: WebhookFault;
  outcome?: FalOutcome | RunwayOutcome;
  /** Whether the vendor sends webhooks. */
  hasWebhooks: boolean;
  ending: Ending;
};

type Reply = FaultInput['reply'];

const html: Reply = { status: 200, text: '<!doctype html><title>Sign in</title>' };
const answer = (status: number): Reply => ({ status, text: `a fault of ${status}` });
const REPLIES: [what: string, reply: Reply][] = [
  ['cut', 'cut'],
  ['408', answer(408)],
  ['429', answer(429)],
  ['500', answer(500)],
  ['502', answer(502)],
  ['503', answer(503)],
  ['504', answer(504)],
  ['200 with HTML', html],
  ['200 with nothing', { status: 200 }],
  ['200 cut short', { status: 200, text: '{"request_id":"0000', isCutShort: true }],
];
const RETRYABLE = ['429', '503'];

/** Answers to a submit, whether or not it was applied. Runway has no webhooks. */
function submitCases(vendor: VendorName): FaultCase[] {
  return REPLIES.flatMap(([what, reply]) => {
    const isRetryable = RETRYABLE.includes(what);
    // With these answers the vendor has not accepted the job.
    return (isRetryable ? [false] : [true, false]).flatMap((isApplied) =>
      (vendor === 'fal' ? [true, false] : [false]).map(
        (hasWebhooks): FaultCase => ({
          vendor,
          where: 'submit',
          what: `${what}, ${isApplied ? 'accepted' : 'not accepted'}`,
          faults: [{ on: 'submit', apply: isApplied, reply }],
          hasWebhooks,
          // An accepted submit with a lost answer is resolved only by a webhook.
          ending: isRetryable || (isApplied && hasWebhooks) ? 'video' : 'ERR_5001',
        }),
      ),
    );
  });
}

/** Requests that are safe to repeat: only time may be lost. */
function repeatableCases(vendor: VendorName, on: string): FaultCase[] {
  return REPLIES.map(
    ([what, reply]): FaultCase => ({
      vendor,
      where: on,
      what: `${what}, nine times`,
      faults: [{ on, reply, times: 9 }],
      hasWebhooks: false,
      ending: 'video',
    }),
  );
}

const webhookFaults: [what: string, fault: WebhookFault][] = [
  ['lost', { fault: 'lose' }],
  ['delayed', { fault: 'delay', ms: 20 }],
  ['three times', { fault: 'repeat', times: 3 }],
  ['overtaken by the next one', { fault: 'reorder' }],
  ['without its payload', { fault: 'no_payload' }],
  ['before the submit was answered', { fault: 'early' }],
  ...(['other_key', 'changed_body', 'stale', 'future', 'unsigned', 'foreign'] as const).map(
    (as): [string, WebhookFault] => [`forged (${as})`, { fault: 'forge', as }],
  ),
];

const WEBHOOKS = webhookFaults.flatMap(([what, webhook]): FaultCase[] => {
  // A reordered event arrives after this generation has ended.
  const isLost = ['lose', 'forge', 'reorder'].includes(webhook.fault);
  const submitCut: FaultInput = { on: 'submit', apply: true, reply: 'cut' };
  return [
    { vendor: 'fal', where: 'webhook', what, webhook, hasWebhooks: true, ending: 'video' },
    {
      vendor: 'fal',
      where: 'webhook',
      what: `${what}, submit cut`,
      faults: [submitCut],
      webhook,
      hasWebhooks: true,
      ending: isLost ? 'ERR_5001' : 'video',
    },
  ];
});

/** A late answer is used nevertheless. */
const SLOW = (['fal', 'runway'] as const).flatMap((vendor) =>
  ['submit', 'status', 'media'].map(
    (where): FaultCase => ({
      vendor,
      where,
      what: 'slow',
      faults: [{ on: where, hangMs: 100 }],
      hasWebhooks: vendor === 'fal',
      ending: 'video',
    }),
  ),
);

const KEYS: FaultCase[] = [
  ['cut', 'cut'],
  ['503', answer(503)],
  ['HTML', html],
].map(([what, reply]) => ({
  vendor: 'fal',
  where: 'keys of the signature',
  what: String(what),
  faults: [{ on: 'jwks', reply: reply as Reply, times: 9 }],
  hasWebhooks: true,
  ending: 'video',
}));

function outcomeCases<Outcome extends FalOutcome | RunwayOutcome>(
  vendor: VendorName,
  endings: Record<Ending, Outcome[]>,
): FaultCase[] {
  return Object.entries(endings).flatMap(([ending, outcomes]) =>
    outcomes.map(
      (outcome): FaultCase => ({
        vendor,
        where: outcome.startsWith('video') ? 'file' : 'job',
        what: outcome,
        outcome,
        hasWebhooks: vendor === 'fal',
        ending: ending as Ending,
      }),
    ),
  );
}

const FILES = [
  'video_html',
  'video_truncated',
  'video_missing',
  'video_redirect',
  'video_internal',
  'video_endless',
] as const;
const STALLS = ['video_cut', 'video_slow'] as const;

const FAL_OUTCOMES = outcomeCases<FalOutcome>('fal', {
  video: ['video'],
  ERR_5001: ['timeout', 'generation_timeout', 'hang', ...STALLS],
  ERR_5002: ['unavailable', 'downstream', 'crash', 'unexplained'],
  ERR_5003: ['moderated', 'invalid', 'no_media'],
  ERR_5005: ['no_file', 'no_files', ...FILES],
});
const RUNWAY_OUTCOMES = outcomeCases<RunwayOutcome>('runway', {
  video: ['video', 'throttled'],
  ERR_5001: ['hang', ...STALLS],
  ERR_5002: ['internal', 'internal_early', 'third_party', 'bad_output', 'unnamed', 'cancelled'],
  ERR_5003: ['moderated', 'moderated_output', 'moderated_early', 'asset_invalid', 'third_party_input'],
  ERR_5005: ['no_output', ...FILES],
});

export const FAULT_CASES: readonly FaultCase[] = [
  ...submitCases('fal'),
  ...repeatableCases('fal', 'status'),
  ...repeatableCases('fal', 'result'),
  ...repeatableCases('fal', 'media'),
  ...WEBHOOKS,
  ...KEYS,
  ...SLOW,
  ...FAL_OUTCOMES,
  ...submitCases('runway'),
  ...repeatableCases('runway', 'status'),
  ...repeatableCases('runway', 'media'),
  ...RUNWAY_OUTCOMES,
];
