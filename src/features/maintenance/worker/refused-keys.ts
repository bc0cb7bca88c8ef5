/** What to do when a vendor refuses our own key, by the subject of the alert. */

import type { ProviderManifest } from '../../../providers/manifest.ts';
import { MANIFESTS } from '../../../providers/manifests.ts';

type Message = { title: string; text: string };

/** Our account at the vendor may also have run out of credit. */
function providerKey({ name, displayName, credentials }: ProviderManifest): [name: string, Message] {
  const variables = Object.values(credentials).map((each) =>
    each.fallback ? `${each.name} (or ${each.fallback})` : each.name,
  );
  const text = [
    'Generations by this provider fail and are refunded until it accepts the key. Nothing is lost.',
    '',
    `Look at its dashboard: is the key still there, and is there credit? Set ${variables.join(' and ')} right and restart the server.`,
  ];
  return [name, { title: `${displayName} refuses our key or our account`, text: text.join('\n') }];
}

export const REFUSED_KEYS: Record<string, Message> = {
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
  devicecheck: {
    title: 'DeviceCheck refuses the key of this server',
    text: [
      'New devices get an account without the initial credits, or none, as DEVICECHECK_FALLBACK says.',
      '',
      'Compare APPLE_TEAM_ID, APPLE_DEVICECHECK_KEY_ID and APPLE_DEVICECHECK_PRIVATE_KEY with the keys in the Apple Developer account,',
      'and the clock of this machine. Set them right and restart the server.',
    ].join('\n'),
  },
  apple_sign_in: {
    title: 'Sign in with Apple refuses the key of this server',
    text: [
      'People can sign in. Apple’s tokens of deleted accounts are not revoked until the key is accepted; the queue goes on trying.',
      '',
      'Compare APPLE_TEAM_ID, APPLE_SIGNIN_KEY_ID and APPLE_SIGNIN_PRIVATE_KEY with the keys in the Apple Developer account. Set them',
      'right and restart the server.',
    ].join('\n'),
  },
  ...Object.fromEntries(MANIFESTS.filter(({ credentials }) => Object.keys(credentials).length > 0).map(providerKey)),
};
