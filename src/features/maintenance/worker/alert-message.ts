/** What an alert says: what has happened, in plain English, and what to do. `docs/runbook.md` has a section for each kind. */
import { z } from 'zod';
import type { AlertKind } from '../../../alerts/port.ts';
import { REFUSED_KEYS } from './refused-keys.ts';

export type AlertCause = { kind: string; subject: string; details: unknown };
export type AlertMessage = { title: string; text: string };

const Violations = z.object({
  violations: z.number(),
  rules: z.array(z.object({ rule: z.string(), violations: z.number() })),
  accounts: z.array(z.string()),
});
type Violations = z.infer<typeof Violations>;

/** Figures that an alert was raised with; one of another version may lack some. */
type Figures = (name: string) => string;

const WEBHOOKS: Record<string, AlertMessage> = {
  failed: {
    title: 'Outgoing webhooks could not be delivered',
    text: [
      'The receiver has not accepted an event in eight attempts over more than a day. It is kept for a while and can be sent again.',
      '',
      'See GET admin-deliveries?state=failed for the statuses and errors, set the receiver right, and send each again by',
      'POST admin-replay-delivery.',
    ].join('\n'),
  },
  gone: {
    title: 'Outgoing webhooks have stopped: the receiver answers 410',
    text: [
      'A receiver that answers 410 asks for no more requests, so nothing is sent to it. Events are kept.',
      '',
      'Set the receiver, or OUTGOING_WEBHOOK_URL, right. Then restart the server, or send one of the events again by',
      'POST admin-replay-delivery: the others follow.',
    ].join('\n'),
  },
};

const MESSAGES: Record<Exclude<AlertKind, 'money_invariant'>, (subject: string, figure: Figures) => AlertMessage> = {
  outgoing_webhook: (subject) => WEBHOOKS[subject] ?? unknownMessage('Outgoing webhooks:', subject),
  store_key: refusedKey,
  vendor_key: refusedKey,
  provider_circuit: (provider) => ({
    title: `${provider} makes no videos: its models are not offered`,
    text: [
      'Several generations in a row failed at this provider, or had no answer. Their credits were returned. Its models are refused',
      'without a charge, but for one try every 30 seconds; the first that succeeds opens them again.',
      '',
      `Look at the status page of ${provider}, and at the log for "provider":"${provider}". If it lasts, take its models off the`,
      'catalogue.',
    ].join('\n'),
  }),
  queue_stalled: (_subject, figure) => ({
    title: 'Tasks wait for more than five minutes',
    text: [
      `${figure('depth')} tasks are due, the oldest for ${figure('oldest_seconds')} seconds. Videos are late; none is lost.`,
      '',
      'See whether workers run (GET /readyz), how long the provider takes (rendio_provider_request_seconds), and start another',
      'worker: npm run worker',
    ].join('\n'),
  }),
  task_fails: (task, figure) => ({
    title: `The task ${task} fails every time`,
    text: [
      `It has failed ${figure('attempts')} times in a row and is tried again with growing waits.`,
      '',
      `The log has each failure: "task":"${task}". What a task needs is in its error code: a vendor that is away (wait), a key (set`,
      'it right), a bug (report it).',
    ].join('\n'),
  }),
  disk_full: (machine, figure) => ({
    title: `The disk of ${machine} is almost full`,
    text: [
      `${figure('free_megabytes')} MB of ${figure('total_megabytes')} MB are free under DATA_DIR. Without space, uploads and videos`,
      'cannot be received; an embedded database stops.',
      '',
      'Make space or enlarge the disk. Files of videos: set S3_ENDPOINT to keep them elsewhere.',
    ].join('\n'),
  }),
  database_pool: (machine, figure) => ({
    title: `${machine} waits for sessions of its database`,
    text: [
      `All ${figure('sessions')} sessions have been in use for more than a minute, and ${figure('waiting')} statements wait. Calls are`,
      'slow or answered with 503.',
      '',
      'Look for slow statements and locks (pg_stat_activity), and at the load. If the database has room, start another server.',
    ].join('\n'),
  }),
  refund_share: (_subject, figure) => ({
    title: 'Many generations fail and are refunded',
    text: [
      `Within an hour ${figure('charges')} generations were charged and ${figure('refunds')} refunded. Users lose no credits, but they`,
      'have no videos.',
      '',
      'The failed ones by provider and code: rendio_generations_total, rendio_errors_total, the table error_log.',
    ].join('\n'),
  }),
};

/** The message for a cause. One of a newer version, which this one does not know, is named. */
export function alertMessage({ kind, subject, details }: AlertCause): AlertMessage {
  if (kind === 'money_invariant') return moneyMessage(Violations.parse(details));
  const figure: Figures = (name) => String(Object(details)[name] ?? 'some');
  return isKnown(kind) ? MESSAGES[kind](subject, figure) : unknownMessage(kind, subject);
}

function isKnown(kind: string): kind is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, kind);
}

function refusedKey(subject: string): AlertMessage {
  return REFUSED_KEYS[subject] ?? unknownMessage('A key is refused:', subject);
}

function unknownMessage(kind: string, subject: string): AlertMessage {
  return { title: `${kind} ${subject}`.trim(), text: 'See the log of the server.' };
}

function moneyMessage({ violations, rules, accounts }: Violations): AlertMessage {
  const isOne = violations === 1;
  return {
    title: isOne ? 'A rule of the money is broken' : `Rules of the money are broken: ${violations} violations`,
    text: [
      ...rules.map(({ rule, violations: count }) => `- ${rule}: ${count}`),
      '',
      'Nothing was changed. Find the cause first:',
      'npm run admin -- audit   (each violation with its figures)',
      ...accounts.map((account) => `npm run admin -- explain-balance ${account}`),
      '',
      'After the repair: npm run admin -- maintenance reconcile   (closes what holds again)',
    ].join('\n'),
  };
}
