/**
 * What the rest of the server needs to know of a provider. Configuration, wiring, callback URLs and simulation iterate over
 * the manifests, so a new provider is a folder here, a line in manifests.ts, a simulator, and rows of the catalogue.
 */
import type { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { baseUrl, token } from '../kernel/variable-schemas.ts';
import type { ProviderAdapter, ProviderName, VideoProvider } from './provider.ts';

/** An environment variable. `example` is a valid value, shown beside an invalid one. */
type Variable<Value extends string | undefined> = { name: string; schema: z.ZodType<Value>; example: string };

/** Always secret. `fallback`: the variable whose value counts where this one is not set. */
export type CredentialVariable = Variable<string | undefined> & { fallback?: string };
/** The schema holds the default, which is the vendor's own URL. */
export type UrlVariable = Variable<string>;

/** How a vendor is reached. `urls` have no slash at the end. */
export type ProviderConnection<Credential extends string = string, Url extends string = string> = {
  credentials: Readonly<Record<Credential, string>>;
  urls: Readonly<Record<Url, string>>;
  fetch: typeof fetch;
};

/** `cause` names no secret. `unreachable`: nothing usable answers at the URL of that name. `exhausted`: the account has no credit. */
export type ConnectionTrial<Url extends string = string> =
  | { outcome: 'accepted' }
  | { outcome: 'refused' | 'exhausted'; cause: string }
  | { outcome: 'unreachable'; url: Url; cause: string };

export type AdapterTools = {
  clock: Clock;
  log: Log;
  /** Called when the vendor refuses our key or our account, for the operator. */
  onRefusedKey(): void;
  /** The sandbox's adapter depends on the runtime: it renders in child processes, or leaves that to another process. */
  createSandbox(): ProviderAdapter;
};

/** `Credential` and `Url` are the names by which the adapter knows its variables. */
export type ProviderManifest<Credential extends string = string, Url extends string = string> = {
  /** As the catalogue's rows write it. */
  name: ProviderName;
  /** For people. */
  displayName: string;
  /** The provider is there only where all of them are set. Empty: it needs none. */
  credentials: Readonly<Record<Credential, CredentialVariable>>;
  urls: Readonly<Record<Url, UrlVariable>>;
  isForProduction: boolean;
  /** The hosts its finished files may be fetched from; `*.` stands for every host below a domain. */
  mediaHosts: readonly string[];
  /** The sender of its webhooks, as `?provider=` of their URL names it; absent where it sends none. */
  webhooksFrom?: string;
  /**
   * The base URL that decides which callback URL the vendor can reach: one on this machine can be given a local URL, the
   * real vendor needs a public one. Null: the vendor never calls this server.
   */
  callbacksFrom: Url | null;
  /** Its simulator in sim/, which stands in for it in development while no credential is set. Null: it has none. */
  simulator: string | null;
  /**
   * Asks the vendor something that takes the key, makes nothing and costs nothing, and says what came of it. Absent: the vendor
   * offers no such call.
   */
  tryConnection?(connection: ProviderConnection<Credential, Url>, signal: AbortSignal): Promise<ConnectionTrial<Url>[]>;
  /** Imports the adapter dynamically: providers without credentials do not slow down the start. */
  createAdapter(connection: ProviderConnection<Credential, Url>, tools: AdapterTools): Promise<ProviderAdapter>;
};

export function keyVariable(name: string, example: string, options: { fallback?: string } = {}): CredentialVariable {
  return { name, schema: token().optional(), example, ...options };
}

export function urlVariable(name: string, vendorUrl: string): UrlVariable {
  return { name, schema: baseUrl().default(vendorUrl), example: vendorUrl };
}

/** The provider as the features see it. */
export function providerOf(
  { name, mediaHosts, webhooksFrom }: Pick<ProviderManifest, 'name' | 'mediaHosts' | 'webhooksFrom'>,
  adapter: ProviderAdapter,
): VideoProvider {
  return { name, mediaHosts, ...(webhooksFrom === undefined ? {} : { webhooksFrom }), ...adapter };
}
