/** Everything that the control panels can spoil, as cases: which vendor, what goes wrong, and what must come of it. */
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
  /** Whether the vendor may tell us by itself. */
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
const REFUSALS = ['429', '503'];

/** The submit is answered so, whether or not it was carried out. Runway has no webhooks. */
function submitCases(vendor: VendorName): FaultCase[] {
  return REPLIES.flatMap(([what, reply]) => {
    const isRefusal = REFUSALS.includes(what);
    // A vendor that says no has not taken the job.
    return (isRefusal ? [false] : [true, false]).flatMap((isTaken) =>
      (vendor === 'fal' ? [true, false] : [false]).map(
        (hasWebhooks): FaultCase => ({
          vendor,
          where: 'submit',
          what: `${what}, ${isTaken ? 'taken' : 'not taken'}`,
          faults: [{ on: 'submit', apply: isTaken, reply }],
          hasWebhooks,
          // What is known by a webhook alone needs one.
          ending: isRefusal || (isTaken && hasWebhooks) ? 'video' : 'ERR_5001',
        }),
      ),
    );
  });
}

/** Questions that are safe to repeat: nothing but time may be lost. */
function questionCases(vendor: VendorName, on: string): FaultCase[] {
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
  // One that is overtaken comes when this generation is long over.
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

/** Late is not never. */
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

/** What these answers say is the vendor's last word; what was cut short is asked for again. */
function unlessItSays(...words: string[]): (each: FaultCase) => FaultCase {
  return (each) => (words.some((word) => each.what.includes(word)) ? { ...each, ending: 'ERR_5005' } : each);
}
const media = (vendor: VendorName) => questionCases(vendor, 'media').map(unlessItSays('HTML'));

export const FAULT_CASES: readonly FaultCase[] = [
  ...submitCases('fal'),
  ...questionCases('fal', 'status'),
  ...questionCases('fal', 'result').map(unlessItSays('HTML', 'nothing')),
  ...media('fal'),
  ...WEBHOOKS,
  ...KEYS,
  ...SLOW,
  ...FAL_OUTCOMES,
  ...submitCases('runway'),
  ...questionCases('runway', 'status'),
  ...media('runway'),
  ...RUNWAY_OUTCOMES,
];
