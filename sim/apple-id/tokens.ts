/** What the simulated Apple signs: identity tokens, and the events of its notifications. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Client } from './clients.ts';
import { type Grant, tokenOf } from './grants.ts';
import type { Identity } from './identity.ts';
import { type Person, relayEmailOf, subOf } from './people.ts';

/** Where Apple's tokens have more than one form: the one that is used. */
export const tokenFormShape = z.object({
  /** Whether yes and no are written as JSON's own values or as texts. */
  flags: z.enum(['boolean', 'string']),
  issuer: z.enum(['https://appleid.apple.com', 'https://account.apple.com']),
  lifetimeSeconds: z.int().min(1),
});
export type TokenForm = z.infer<typeof tokenFormShape>;

export const NOTIFICATION_TYPES = ['email-disabled', 'email-enabled', 'consent-revoked', 'account-delete'] as const;
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** `hidesEmail`: the app knows the person's relay address alone. */
export type AccountEvent = {
  type: NotificationType;
  person: Person;
  client: Client;
  hidesEmail: boolean;
  atMs: number;
};

const DAY_SECONDS = 24 * 3600;
const FIRST_FORM: TokenForm = {
  flags: 'boolean',
  issuer: 'https://appleid.apple.com',
  lifetimeSeconds: DAY_SECONDS,
};

/** The left half of the SHA-256, as OpenID Connect has it for `c_hash` and `at_hash`. */
function halfHash(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');
}

export function createTokens(identity: Identity, clock: Clock) {
  const { salt } = identity.team;
  let form = FIRST_FORM;
  const nowSeconds = () => Math.floor(clock.now().getTime() / 1000);
  const flag = (value: boolean) => (form.flags === 'string' ? String(value) : value);

  function emailOf(person: Person, { teamId }: Client, hidesEmail: boolean) {
    if (person.email === null) return {};
    return {
      email: hidesEmail ? relayEmailOf(person, teamId, salt) : person.email,
      is_private_email: flag(hidesEmail),
    };
  }

  return {
    setForm(changed: Partial<TokenForm>): void {
      form = { ...form, ...changed };
    },
    /** `for`: a token at a sign-in goes with its code, one from the token endpoint with an access token. */
    identityToken(person: Person, client: Client, grant: Grant, forWhom: 'sign-in' | 'exchange'): Promise<string> {
      const { email, is_private_email } = emailOf(person, client, grant.hidesEmail);
      return identity.sign({
        iss: form.issuer,
        aud: client.clientId,
        exp: nowSeconds() + form.lifetimeSeconds,
        iat: nowSeconds(),
        sub: subOf(person, client.teamId, salt),
        ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
        ...(forWhom === 'sign-in'
          ? { c_hash: halfHash(tokenOf(grant, 'code')) }
          : { at_hash: halfHash(tokenOf(grant, 'access')) }),
        ...(email === undefined ? {} : { email, email_verified: flag(true), is_private_email }),
        auth_time: Math.floor(grant.createdAtMs / 1000),
        nonce_supported: true,
        ...(grant.isFirst ? { real_user_status: person.realUserStatus } : {}),
      });
    },
    /** The JWT of a notification; `id` is the same in all of its repeats. */
    async notification({
      type,
      person,
      client,
      hidesEmail,
      atMs,
    }: AccountEvent): Promise<{ id: string; payload: string }> {
      const id = randomUUID();
      const isAboutEmail = type === 'email-disabled' || type === 'email-enabled';
      const event = {
        type,
        sub: subOf(person, client.teamId, salt),
        event_time: atMs,
        ...(isAboutEmail ? emailOf(person, client, hidesEmail) : {}),
      };
      const payload = await identity.sign({
        iss: form.issuer,
        aud: client.clientId,
        exp: nowSeconds() + DAY_SECONDS,
        iat: nowSeconds(),
        jti: id,
        events: JSON.stringify(event),
      });
      return { id, payload };
    },
  };
}

export type Tokens = ReturnType<typeof createTokens>;
