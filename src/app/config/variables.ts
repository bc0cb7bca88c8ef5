/** The environment table of the public contract: each variable's type, its fixed default, and an example. */
import { z } from 'zod';
import { baseUrl, token } from '../../kernel/variable-schemas.ts';
import type { ProviderManifest } from '../../providers/manifest.ts';
import { appleKey, jwtPreviousKeys, jwtSigningKey } from './keys.ts';
import { promptBlocklist } from './prompt-blocklist.ts';
import { credentialVariables, type ProviderValues, urlVariables } from './providers.ts';
import { rootCerts } from './root-certs.ts';
import {
  hostList,
  idList,
  integer,
  listenHost,
  oneOf,
  origins,
  otlpProtocol,
  postgresUrl,
  share,
  vendorId,
  webhookSecrets,
  webUrl,
} from './values.ts';

const PEM = '"-----BEGIN PRIVATE KEY-----\\nMIGHAgEA…\\n-----END PRIVATE KEY-----"';

function variable<S extends z.ZodType>(schema: S, example: string): S {
  return schema.meta({ example });
}

/** A limit allows at least one; a million is more than any server serves. */
const limit = (example: string) => variable(integer(1, 1_000_000).optional(), example);
const optionalUrl = (example: string) => variable(baseUrl().optional(), example);
const optionalId = (example: string) => variable(vendorId().optional(), example);
const optionalToken = (example: string) => variable(token().optional(), example);
const optionalAppleKey = () => variable(appleKey().optional(), PEM);
const text = (example: string) => variable(z.string().optional(), example);

const SERVER_AND_OPERATIONS = {
  ENVIRONMENT: variable(oneOf(['development', 'staging', 'production']).default('development'), 'production'),
  PORT: variable(integer(0, 65_535).default(8787), '8787'),
  HOST: variable(listenHost().optional(), '0.0.0.0'),
  PUBLIC_URL: optionalUrl('https://api.example.com'),
  DATA_DIR: variable(z.string().default('.data'), '/var/lib/rendio'),
  DATABASE_URL: variable(postgresUrl().optional(), 'postgres://owner:password@db.example.com:5432/rendio'),
  DATABASE_DIRECT_URL: variable(postgresUrl().optional(), 'postgres://owner:password@db.example.com:5432/rendio'),
  WORKER: variable(oneOf(['on', 'off']).default('on'), 'on'),
  CORS_ORIGINS: variable(origins().optional(), 'https://app.example.com,https://admin.example.com'),
  LOG_LEVEL: variable(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'), 'info'),
  // More than ten proxies in a row are a mistake.
  TRUSTED_PROXY_HOPS: variable(integer(0, 10).default(0), '1'),
  ALLOW_PUBLIC_DEVELOPMENT: variable(oneOf(['yes', 'no']).default('no'), 'yes'),

  JWT_PRIVATE_KEY: variable(jwtSigningKey().optional(), PEM),
  JWT_PREVIOUS_KEYS: variable(
    jwtPreviousKeys().optional(),
    '\'{"keys":[{"kty":"EC","crv":"P-256","x":"…","y":"…"}]}\'',
  ),
  SECRET_KEY: variable(
    z
      .string()
      .refine((key) => new TextEncoder().encode(key).byteLength >= 32, { error: 'must be at least 32 bytes long' })
      .optional(),
    '$(openssl rand -hex 32)',
  ),

  SUPABASE_URL: optionalUrl('https://abcdefgh.supabase.co'),
  SUPABASE_ANON_KEY: optionalToken('sb_publishable_…'),
  SUPABASE_SERVICE_ROLE_KEY: optionalToken('sb_secret_…'),

  METRICS_TOKEN: optionalToken('$(openssl rand -hex 16)'),
  METRICS_PORT: variable(integer(1, 65_535).optional(), '9464'),
  TELEGRAM_BOT_TOKEN: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9:_-]+$/, { error: 'must be letters, digits, ":", "-" and "_" alone' })
      .optional(),
    '123456789:AAE…',
  ),
  TELEGRAM_CHAT_ID: variable(
    z
      .string()
      .regex(/^(-?\d+|@\w+)$/, { error: 'must be the number of a chat, or @channel' })
      .optional(),
    '-1001234567890',
  ),
  TELEGRAM_API_URL: variable(baseUrl().default('https://api.telegram.org'), 'https://api.telegram.org'),
  ALERT_WEBHOOK_URL: variable(webUrl().optional(), 'https://hooks.example.com/services/…'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalUrl('http://localhost:4318'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable(webUrl().optional(), 'http://localhost:4318/v1/traces'),
  OTEL_EXPORTER_OTLP_HEADERS: text('x-api-key=…'),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: text('x-api-key=…'),
  OTEL_EXPORTER_OTLP_PROTOCOL: variable(otlpProtocol().optional(), 'http/protobuf'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: variable(otlpProtocol().optional(), 'http/protobuf'),
  OTEL_SERVICE_NAME: variable(z.string().default('rendio'), 'rendio'),
  OTEL_TRACES_EXPORTER: variable(oneOf(['otlp', 'none']).default('otlp'), 'otlp'),
  OTEL_TRACES_SAMPLER: variable(
    oneOf([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]).default('parentbased_always_on'),
    'parentbased_traceidratio',
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(share().default(1), '0.1'),
  // As OpenTelemetry reads it: everything but "true" is false.
  OTEL_SDK_DISABLED: text('true'),
  // Ten years at most.
  ERROR_LOG_DAYS: variable(integer(1, 3650).default(90), '90'),
  OUTGOING_WEBHOOK_URL: variable(webUrl().optional(), 'https://example.com/rendio-events'),
  OUTGOING_WEBHOOK_SECRET: variable(webhookSecrets().optional(), 'whsec_$(openssl rand -base64 32)'),

  // A day is the shortest that a signed URL is valid; archived jobs are older than anything that support is asked about.
  VIDEO_RETENTION_DAYS: variable(integer(1, 36_500).optional(), '365'),
  JOB_ARCHIVE_DAYS: variable(integer(90, 36_500).optional(), '90'),
  PROMPT_BLOCKLIST_FILE: variable(promptBlocklist().optional(), '/etc/rendio/blocklist.txt'),

  STRIPE_SECRET_KEY: optionalToken('sk_live_…'),
  STRIPE_WEBHOOK_SECRET: optionalToken('whsec_…'),
};

const WEBHOOKS_APPLE_AND_MEDIA = {
  WEBHOOK_SECRET: text('$(openssl rand -hex 32)'),

  APPLE_BUNDLE_ID: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,155}$/, { error: 'must be letters, digits, "." and "-" alone' })
      .optional(),
    'com.example.app',
  ),
  APPLE_SERVICE_IDS: variable(idList().default([]), 'com.example.web,com.example.admin'),
  APPLE_APP_ID: variable(integer(1, Number.MAX_SAFE_INTEGER).optional(), '1234567890'),
  APPLE_TEAM_ID: optionalId('ABCDE12345'),
  APPLE_KEY_ID: optionalId('2X9R4HXF34'),
  APPLE_ISSUER_ID: optionalId('57246542-96fe-1a63-e053-0824d011072a'),
  APPLE_PRIVATE_KEY: optionalAppleKey(),
  APPLE_DEVICECHECK_KEY_ID: optionalId('2X9R4HXF34'),
  APPLE_DEVICECHECK_PRIVATE_KEY: optionalAppleKey(),
  APPLE_SIGNIN_KEY_ID: optionalId('2X9R4HXF34'),
  APPLE_SIGNIN_PRIVATE_KEY: optionalAppleKey(),
  APPLE_APNS_KEY_ID: optionalId('2X9R4HXF34'),
  APPLE_APNS_PRIVATE_KEY: optionalAppleKey(),
  APPLE_ROOT_CERTS: variable(rootCerts().optional(), '/etc/rendio/apple-roots'),
  APPLE_SANDBOX_PURCHASES: variable(oneOf(['grant', 'refuse']).optional(), 'refuse'),
  APPLE_CONSUMPTION_CONSENT: variable(oneOf(['on', 'off']).default('off'), 'on'),
  APPLE_REFUND_PREFERENCE: variable(oneOf(['DECLINE', 'GRANT_FULL', 'GRANT_PRORATED']).optional(), 'DECLINE'),

  S3_ENDPOINT: optionalUrl('https://s3.eu-central-1.amazonaws.com'),
  S3_REGION: text('eu-central-1'),
  S3_BUCKET: text('rendio-media'),
  S3_ACCESS_KEY_ID: optionalToken('AKIA…'),
  S3_SECRET_ACCESS_KEY: optionalToken('wJalr…'),
};

const VENDOR_URLS_AND_LIMITS = {
  APPLE_DEVICECHECK_URL: optionalUrl('https://api.devicecheck.apple.com'),
  APPLE_APPSTORE_URL: variable(baseUrl().default('https://api.storekit.apple.com'), 'https://api.storekit.apple.com'),
  APPLE_APPSTORE_SANDBOX_URL: variable(
    baseUrl().default('https://api.storekit-sandbox.apple.com'),
    'https://api.storekit-sandbox.apple.com',
  ),
  APPLE_ID_URL: optionalUrl('https://appleid.apple.com'),
  APPLE_APNS_URL: optionalUrl('https://api.push.apple.com'),
  STRIPE_API_URL: variable(baseUrl().default('https://api.stripe.com'), 'https://api.stripe.com'),
  MEDIA_ALLOWED_HOSTS: variable(hostList().default([]), 'cdn.example.com,media.example.com:8443'),

  RATE_LIMIT_GENERATIONS_PER_HOUR: limit('10'),
  RATE_LIMIT_GENERATIONS_PER_HOUR_PER_ADDRESS: limit('60'),
  RATE_LIMIT_ONBOARDING_PER_HOUR: limit('30'),
  RATE_LIMIT_AUTH_PER_5_MINUTES: limit('150'),
  RATE_LIMIT_PURCHASES_PER_HOUR: limit('30'),
  RATE_LIMIT_REPORTS_PER_HOUR: limit('20'),
  RATE_LIMIT_CALLS_PER_MINUTE: limit('600'),
  RATE_LIMIT_GENERATIONS_IN_FLIGHT: limit('10'),
  RATE_LIMIT_REFUNDED_CANCELS_PER_HOUR: limit('5'),
  RATE_LIMIT_CODE_GUESSES_PER_HOUR: limit('10'),
  RATE_LIMIT_CODE_GUESSES_PER_HOUR_PER_ADDRESS: limit('30'),
  DAILY_SPEND_CAP_CREDITS: limit('100'),
  // At most a day: a longer generation is lost, and its credits must not be held any longer.
  GENERATION_DEADLINE_SECONDS: variable(integer(1, 86_400).default(1800), '1800'),
  INITIAL_GRANT_CREDITS: variable(integer(0, 1_000_000).default(10), '10'),
  DEVICECHECK_FALLBACK: variable(oneOf(['no_grant', 'deny']).default('no_grant'), 'no_grant'),
};

/** Those of the server itself; each provider's manifest adds its own. */
export const variables = z.object({ ...SERVER_AND_OPERATIONS, ...WEBHOOKS_APPLE_AND_MEDIA, ...VENDOR_URLS_AND_LIMITS });

/** The values of the server's own variables. */
type OwnValues = z.output<typeof variables>;
export type Values = OwnValues & { providers: ProviderValues };
export type VariableName = keyof OwnValues;
export type Environment = OwnValues['ENVIRONMENT'];
/** What is wrong with a variable, to be read after its name. */
export type Complaint = { name: string; problem: string };
/** What is set, trimmed; an empty variable counts as unset. */
export type Given = Partial<Record<VariableName, string>> & ProviderValues;

/** Each variable with a valid value to show beside an invalid one, in the order of .env.example. */
export function examplesOf(manifests: readonly ProviderManifest[]): ReadonlyMap<string, string> {
  const own = (shape: Record<string, z.ZodType>) =>
    Object.entries(shape).map(([name, schema]) => [name, String(schema.meta()?.example)] as const);
  const ofProviders = (found: { name: string; example: string }[]) =>
    found.map(({ name, example }) => [name, example] as const);
  return new Map([
    ...own(SERVER_AND_OPERATIONS),
    ...ofProviders(credentialVariables(manifests)),
    ...own(WEBHOOKS_APPLE_AND_MEDIA),
    ...ofProviders(urlVariables(manifests)),
    ...own(VENDOR_URLS_AND_LIMITS),
  ]);
}

/** The variables of these names that are set, out of a whole environment. */
export function givenIn(env: Record<string, string | undefined>, names: Iterable<string>): Given {
  return Object.fromEntries([...names].map((name) => [name, env[name]?.trim()] as const).filter(([, value]) => value));
}
