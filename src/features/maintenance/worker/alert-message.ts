/** What an alert says: what has happened, in plain English, and what to do. */
import { z } from 'zod';

export type AlertCause = { kind: string; subject: string; details: unknown };
export type AlertMessage = { title: string; text: string };

const Violations = z.object({
  violations: z.number(),
  rules: z.array(z.object({ rule: z.string(), violations: z.number() })),
  accounts: z.array(z.string()),
});

const REFUSED_KEYS: Record<string, AlertMessage> = {
  apple: {
    title: 'The App Store refuses the key of this server',
    text: [
      'Purchases cannot be verified by their id until the key is accepted. None is lost: the app reports it again, and Apple’s history',
      'has what never arrived.',
      '',
      'Compare APPLE_KEY_ID, APPLE_ISSUER_ID and APPLE_PRIVATE_KEY with App Store Connect: Users and Access, Integrations, In-App',
      'Purchase. Set them right and restart the server. Then run: npm run admin -- heal-purchases',
    ].join('\n'),
  },
  stripe: {
    title: 'Stripe refuses the key of this server, or a right of it',
    text: [
      'The web shop sells nothing, and refunds are not followed, until the key is accepted. Events that have arrived are kept and tried',
      'again.',
      '',
      'Compare STRIPE_SECRET_KEY with the API keys in the Dashboard of Stripe, and the rights of a restricted key with',
      'docs/guides/web-shop.md. Set it right and restart the server.',
    ].join('\n'),
  },
};

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

/** By kind and subject. */
const MESSAGES: Record<string, Record<string, AlertMessage>> = { store_key: REFUSED_KEYS, outgoing_webhook: WEBHOOKS };

/** The message for a cause. One of a newer version, which this one does not know, is named. */
export function alertMessage({ kind, subject, details }: AlertCause): AlertMessage {
  if (kind === 'money_invariant') return moneyMessage(Violations.parse(details));
  const known = MESSAGES[kind]?.[subject];
  return known ?? { title: `${kind} ${subject}`.trim(), text: 'See the log of the server.' };
}

function moneyMessage({ violations, rules, accounts }: z.infer<typeof Violations>): AlertMessage {
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
