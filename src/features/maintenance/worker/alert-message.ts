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
  apns: {
    title: 'Apple refuses the key for pushes',
    text: [
      'No phone is told that a video is ready until the key is accepted. Pushes that wait are sent for a day; nothing else depends on them.',
      '',
      'Compare APPLE_APNS_KEY_ID, APPLE_APNS_PRIVATE_KEY and APPLE_TEAM_ID with developer.apple.com: Certificates, Identifiers & Profiles,',
      'Keys. The key must be enabled for the Apple Push Notifications service, in both environments and for the app of APPLE_BUNDLE_ID.',
      'Compare the clock of the server too: Apple refuses tokens of another hour. Set it right and restart the server.',
    ].join('\n'),
  },
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

/** The message for a cause. One of a newer version, which this one does not know, is named. */
export function alertMessage({ kind, subject, details }: AlertCause): AlertMessage {
  if (kind === 'money_invariant') return moneyMessage(Violations.parse(details));
  const known = kind === 'store_key' ? REFUSED_KEYS[subject] : undefined;
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
