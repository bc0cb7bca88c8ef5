/** Values that are there and usable, and protect nothing. */
import { mayBePublic } from '../../kernel/public-ip.ts';
import type { ProviderManifest } from '../../providers/manifest.ts';
import { isLoopback } from '../loopback.ts';
import { credentialVariables, urlVariables } from './providers.ts';
import { listOf } from './values.ts';
import type { Complaint, Environment, Given, VariableName } from './variables.ts';

const SECRET_KEY_BYTES_MIN = 32;
/** A random key may hold the same three bytes twice. */
const CHANCE = 3;
const SECRET_CHARACTERS_MIN = 16;
const SHORT_SECRETS: VariableName[] = ['METRICS_TOKEN', 'WEBHOOK_SECRET'];
const VENDOR_URLS: VariableName[] = [
  'APPLE_DEVICECHECK_URL',
  'APPLE_APPSTORE_URL',
  'APPLE_APPSTORE_SANDBOX_URL',
  'APPLE_ID_URL',
  'APPLE_APNS_URL',
  'STRIPE_API_URL',
  'TELEGRAM_API_URL',
];

/** What is too weak for an environment that others can reach: everything but development. */
export function weaknesses(
  given: Given,
  environment: Environment,
  manifests: readonly ProviderManifest[],
): Complaint[] {
  if (environment === 'development') return exposures(given, manifests);
  const vendorUrls = [...VENDOR_URLS, ...urlVariables(manifests).map(({ name }) => name)];
  return [
    ...(given.SECRET_KEY && bytesWithoutRepeats(given.SECRET_KEY) < SECRET_KEY_BYTES_MIN - CHANCE
      ? [{ name: 'SECRET_KEY', problem: `must be at least ${SECRET_KEY_BYTES_MIN} bytes that do not repeat` }]
      : []),
    ...SHORT_SECRETS.filter((name) => given[name] && isShort(given[name])).map((name) => ({
      name,
      problem: `must be at least ${SECRET_CHARACTERS_MIN} characters long in ${environment}`,
    })),
    ...[...new Set(vendorUrls)]
      .filter((name) => given[name] && !/^https:/i.test(given[name]))
      .map((name) => ({ name, problem: `must be https in ${environment}: the vendor's key is sent there` })),
    ...stripeWeaknesses(given, environment),
    ...webhookWeaknesses(given, environment),
  ];
}

/** Whoever knows the webhook's secret makes credits, and with a test key Stripe's test cards do. */
function stripeWeaknesses({ STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: secret }: Given, environment: Environment) {
  const isTestKey = key !== undefined && /^(?:sk|rk)_test_/.test(key);
  return [
    ...(key && !/^(?:sk|rk)_\w/.test(key)
      ? [{ name: 'STRIPE_SECRET_KEY', problem: 'must be a key of Stripe (sk_… or rk_…)' }]
      : []),
    ...(isTestKey && environment === 'production'
      ? [{ name: 'STRIPE_SECRET_KEY', problem: 'is a test key: in production, its test cards would buy credits' }]
      : []),
    ...(secret && (!secret.startsWith('whsec_') || isShort(secret))
      ? [{ name: 'STRIPE_WEBHOOK_SECRET', problem: 'must be the signing secret of a webhook endpoint (whsec_…)' }]
      : []),
  ];
}

/** A receiver of events is a server of the operator's own on the internet. Elsewhere it may be on any network. */
function webhookWeaknesses({ OUTGOING_WEBHOOK_URL: url }: Given, environment: Environment): Complaint[] {
  if (environment !== 'production' || !url || !URL.canParse(url)) return [];
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' && mayBePublic(hostname)) return [];
  return [{ name: 'OUTGOING_WEBHOOK_URL', problem: 'must be https, at a public host, in production' }];
}

/** Also a command from our own examples that no shell has run, as in a .env file. */
function isShort(secret: string): boolean {
  return [...secret].length < SECRET_CHARACTERS_MIN || secret.startsWith('$(');
}

/** Counts the places where three bytes begin that have not been there before. */
function bytesWithoutRepeats(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const seen = new Set<string>();
  for (let at = 0; at + 2 < bytes.length; at += 1) seen.add(bytes.slice(at, at + 3).join());
  return seen.size + 2;
}

/** A simulated DeviceCheck believes every device: whoever finds the server spends the vendor's money. */
function exposures(given: Given, manifests: readonly ProviderManifest[]): Complaint[] {
  const key = credentialVariables(manifests).find(({ name }) => given[name])?.name;
  const address = publicAddress(given);
  if (!key || !address || given.APPLE_DEVICECHECK_PRIVATE_KEY || given.ALLOW_PUBLIC_DEVELOPMENT === 'yes') return [];
  const instead = listOf(['set the DeviceCheck key', `leave ${key} out`, `leave ${address} out`]);
  const problem = `must be yes to use ${key} with a simulated DeviceCheck at a public address (${address}), where anyone can spend its credits; or ${instead}`;
  return [{ name: 'ALLOW_PUBLIC_DEVELOPMENT', problem }];
}

/** The variable that makes this server public; undefined where none does. */
export function publicAddress({ PUBLIC_URL, HOST }: Pick<Given, 'PUBLIC_URL' | 'HOST'>): VariableName | undefined {
  if (PUBLIC_URL && /^https:/i.test(PUBLIC_URL)) return 'PUBLIC_URL';
  return HOST && !isLoopback(HOST) ? 'HOST' : undefined;
}
