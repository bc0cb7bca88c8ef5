/** What people do with their simulated Apple Accounts, and what their servers hear of it. */
import type { AppleIdParts } from './app.ts';
import type { Client } from './clients.ts';
import { type Grant, tokenOf } from './grants.ts';
import type { DeliveryInput, Notifier } from './notifier.ts';
import { type Person, relayEmailOf, subOf } from './people.ts';
import type { NotificationType } from './tokens.ts';

/** `clientId`: the first app by default. `nonce`: as the app gives it to Apple, so the SHA-256 of its own. */
export type AuthorizationRequest = {
  personId: string;
  clientId?: string | undefined;
  nonce?: string | null | undefined;
  hidesEmail?: boolean | undefined;
  /** Of a website: the exchange of the code has to name it again. */
  redirectUri?: string | null | undefined;
};

/** What the app gets when a person signs in. */
export type Authorization = { sub: string; email: string | null; identityToken: string; authorizationCode: string };

/** `statuses`: what the server answered to the notification, once for each copy; empty where none was sent. */
export type Noticed = { statuses: (number | null)[] };

/** A person as the control panel shows them, for one team. */
export type PersonView = Person & {
  sub: string;
  relayEmail: string | null;
  /** Oldest first; without its secrets. */
  grants: Omit<Grant, 'secrets'>[];
};

/** Of the app that the person uses, unless `clientId` names one. */
type OfClient = DeliveryInput & { clientId?: string | undefined };

export type Events = {
  /** Everyone, oldest first, as the simulator's own team knows them. */
  people(): Promise<PersonView[]>;
  authorize(request: AuthorizationRequest): Promise<Authorization>;
  /** Sends a notification alone: nothing has happened at Apple. */
  notify(personId: string, type: NotificationType, options?: OfClient): Promise<Noticed>;
  /** "Stop using Apple Account" with the app: its tokens end, and its server hears of it. */
  withdrawConsent(personId: string, options?: OfClient): Promise<Noticed>;
  /** For good. Every app that the person uses hears of it. */
  deleteAppleAccount(personId: string, options?: DeliveryInput): Promise<Noticed>;
  /** Whether mail to the relay address is forwarded. */
  setForwarding(personId: string, isForwarding: boolean, options?: DeliveryInput): Promise<Noticed>;
};

type Parts = Pick<AppleIdParts, 'identity' | 'people' | 'grants' | 'clients' | 'tokens'>;

function clientOf({ clients }: Parts, clientId: string | undefined): Client {
  const client = clientId === undefined ? clients.all()[0] : clients.get(clientId);
  if (!client) throw new Error(`no app or website is registered as ${clientId}`);
  return client;
}

/** A person who has their Apple Account, and the grants that they have not withdrawn. */
async function aliveWithGrants({ people, grants }: Parts, personId: string) {
  const person = await people.get(personId);
  if (person.isDeleted) throw new Error(`${person.name} has deleted their Apple Account`);
  return { person, active: await grants.activeOf(personId, null) };
}

export function createEvents(parts: Parts, notifier: Notifier): Events {
  return { ...signInsOf(parts), ...changesOf(parts, notifier) };
}

function signInsOf(parts: Parts): Pick<Events, 'people' | 'authorize'> {
  const { identity, people, grants, tokens } = parts;
  const { teamId, salt } = identity.team;
  return {
    async people() {
      const all = await grants.list();
      return (await people.list()).map((person) => ({
        ...person,
        sub: subOf(person, teamId, salt),
        relayEmail: person.email === null ? null : relayEmailOf(person, teamId, salt),
        grants: all.filter(({ personId }) => personId === person.id).map(({ secrets: _, ...grant }) => grant),
      }));
    },

    async authorize({ personId, clientId, nonce = null, hidesEmail = false, redirectUri = null }) {
      const { person } = await aliveWithGrants(parts, personId);
      const client = clientOf(parts, clientId);
      const grant = await grants.create({ personId, clientId: client.clientId, nonce, hidesEmail, redirectUri });
      const shown = hidesEmail ? relayEmailOf(person, client.teamId, salt) : person.email;
      return {
        sub: subOf(person, client.teamId, salt),
        email: person.email === null ? null : shown,
        identityToken: await tokens.identityToken(person, client, grant, 'sign-in'),
        authorizationCode: tokenOf(grant, 'code'),
      };
    },
  };
}

function changesOf(parts: Parts, notifier: Notifier): Omit<Events, 'people' | 'authorize'> {
  const { people, grants } = parts;

  /** Tells the app, or else the app that the person has signed in to last. */
  async function tell(
    type: NotificationType,
    { person, clientId, known }: { person: Person; clientId?: string | undefined; known: Grant[] },
    options: DeliveryInput,
  ): Promise<Noticed> {
    const client = clientOf(parts, clientId ?? known.at(-1)?.clientId);
    const last = known.findLast((grant) => grant.clientId === client.clientId);
    const notice = { type, person, client, hidesEmail: last?.hidesEmail ?? false };
    return { statuses: await notifier.send(notice, options) };
  }

  return {
    async notify(personId, type, { clientId, ...options } = {}) {
      const person = await people.get(personId);
      const known = (await grants.list()).filter((grant) => grant.personId === personId);
      return tell(type, { person, clientId, known }, options);
    },

    async withdrawConsent(personId, { clientId, ...options } = {}) {
      const { person, active } = await aliveWithGrants(parts, personId);
      const told = clientOf(parts, clientId ?? active.at(-1)?.clientId).clientId;
      if (!active.some((grant) => grant.clientId === told)) return { statuses: [] };
      await grants.end(personId, told, 'person');
      return tell('consent-revoked', { person, clientId: told, known: active }, options);
    },

    async deleteAppleAccount(personId, options = {}) {
      const { person, active } = await aliveWithGrants(parts, personId);
      await grants.end(personId, null, 'person');
      await people.change(personId, { isDeleted: true });
      const used = [...new Set(active.map(({ clientId }) => clientId))];
      const told = used.map((clientId) => tell('account-delete', { person, clientId, known: active }, options));
      return { statuses: (await Promise.all(told)).flatMap(({ statuses }) => statuses) };
    },

    async setForwarding(personId, isForwarding, options = {}) {
      const { person, active } = await aliveWithGrants(parts, personId);
      await people.change(personId, { isForwarding });
      // Apple forwards, or does not, only where it hides the person's address.
      const hidden = active.filter(({ hidesEmail }) => hidesEmail);
      if (hidden.length === 0) return { statuses: [] };
      return tell(isForwarding ? 'email-enabled' : 'email-disabled', { person, known: hidden }, options);
    },
  };
}
