/** All keys, passwords and secrets. A group is whole or undefined; where it is undefined, its feature is off. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import type { PublicJwk, SigningJwk } from './keys.ts';
import { credentialsOf, type ProviderSecrets } from './providers.ts';
import { Secret, secretOf } from './secret.ts';
import type { Values } from './variables.ts';

/** An Apple key with its id; `privateKey` is a PKCS #8 PEM. */
export type AppleKey = { keyId: string; privateKey: Secret };

export type Secrets = {
  /** `directUrl` is unpooled: for LISTEN, locks and migrations. Undefined: embedded PostgreSQL. */
  database: { url: Secret; directUrl: Secret } | undefined;
  /** Undefined in development and staging alone, where the entry creates one. The same holds for `secretKey`. */
  jwtPrivateKey: Secret<SigningJwk> | undefined;
  /** Public halves of retired keys: their tokens are still valid until they expire. */
  jwtPreviousKeys: PublicJwk[];
  secretKey: Secret | undefined;
  supabase: { url: string; anonKey: Secret; serviceRoleKey: Secret } | undefined;
  metricsToken: Secret | undefined;
  telegram: { botToken: Secret; chatId: string } | undefined;
  alertWebhookUrl: Secret | undefined;
  /** Sent with traces: `name=value` pairs with commas between them. */
  tracingHeaders: Secret | undefined;
  /** The URL may hold a password. */
  outgoingWebhook: { url: Secret; secrets: Secret<string[]> } | undefined;
  stripe: { secretKey: Secret; webhookSecret: Secret } | undefined;
  providers: ProviderSecrets;
  webhookSecret: Secret | undefined;
  deviceCheck: (AppleKey & { teamId: string }) | undefined;
  appStore: (AppleKey & { issuerId: string; bundleId: string; appId: number }) | undefined;
  signIn: (AppleKey & { teamId: string; bundleId: string }) | undefined;
  apns: (AppleKey & { teamId: string; bundleId: string }) | undefined;
  s3: { endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: Secret } | undefined;
};

function databaseOf({ DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl }: Values): Secrets['database'] {
  return url ? { url: new Secret(url), directUrl: new Secret(directUrl ?? url) } : undefined;
}

function supabaseOf(values: Values): Secrets['supabase'] {
  const { SUPABASE_URL: url, SUPABASE_ANON_KEY: anonKey, SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey } = values;
  if (!url || !anonKey || !serviceRoleKey) return undefined;
  return { url, anonKey: new Secret(anonKey), serviceRoleKey: new Secret(serviceRoleKey) };
}

function telegramOf({ TELEGRAM_BOT_TOKEN: botToken, TELEGRAM_CHAT_ID: chatId }: Values): Secrets['telegram'] {
  return botToken && chatId ? { botToken: new Secret(botToken), chatId } : undefined;
}

function outgoingWebhookOf(values: Values): Secrets['outgoingWebhook'] {
  const { OUTGOING_WEBHOOK_URL: url, OUTGOING_WEBHOOK_SECRET: secrets } = values;
  return url && secrets ? { url: new Secret(url), secrets: new Secret(secrets) } : undefined;
}

function stripeOf(values: Values): Secrets['stripe'] {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret } = values;
  return secretKey && webhookSecret
    ? { secretKey: new Secret(secretKey), webhookSecret: new Secret(webhookSecret) }
    : undefined;
}

function s3Of(values: Values): Secrets['s3'] {
  const { S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket } = values;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  if (!endpoint || !region || !bucket || !accessKeyId || !secretAccessKey) return undefined;
  return { endpoint, region, bucket, accessKeyId, secretAccessKey: new Secret(secretAccessKey) };
}

function keyOf(keyId: string | undefined, privateKey: string | undefined): AppleKey | undefined {
  return keyId && privateKey ? { keyId, privateKey: new Secret(privateKey) } : undefined;
}

function appleOf(values: Values): Pick<Secrets, 'deviceCheck' | 'appStore' | 'signIn' | 'apns'> {
  const { APPLE_TEAM_ID: teamId, APPLE_BUNDLE_ID: bundleId, APPLE_ISSUER_ID: issuerId, APPLE_APP_ID: appId } = values;
  const deviceCheck = keyOf(values.APPLE_DEVICECHECK_KEY_ID, values.APPLE_DEVICECHECK_PRIVATE_KEY);
  const appStore = keyOf(values.APPLE_KEY_ID, values.APPLE_PRIVATE_KEY);
  const signIn = keyOf(values.APPLE_SIGNIN_KEY_ID, values.APPLE_SIGNIN_PRIVATE_KEY);
  const apns = keyOf(values.APPLE_APNS_KEY_ID, values.APPLE_APNS_PRIVATE_KEY);
  return {
    deviceCheck: deviceCheck && teamId ? { ...deviceCheck, teamId } : undefined,
    appStore: appStore && issuerId && bundleId && appId ? { ...appStore, issuerId, bundleId, appId } : undefined,
    signIn: signIn && teamId && bundleId ? { ...signIn, teamId, bundleId } : undefined,
    apns: apns && teamId && bundleId ? { ...apns, teamId, bundleId } : undefined,
  };
}

/** The secrets among these values, wrapped. */
export function secretsOf(values: Values, manifests: readonly ProviderManifest[]): Secrets {
  return {
    database: databaseOf(values),
    jwtPrivateKey: secretOf(values.JWT_PRIVATE_KEY),
    jwtPreviousKeys: values.JWT_PREVIOUS_KEYS ?? [],
    secretKey: secretOf(values.SECRET_KEY),
    supabase: supabaseOf(values),
    metricsToken: secretOf(values.METRICS_TOKEN),
    telegram: telegramOf(values),
    alertWebhookUrl: secretOf(values.ALERT_WEBHOOK_URL),
    tracingHeaders: secretOf(values.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? values.OTEL_EXPORTER_OTLP_HEADERS),
    outgoingWebhook: outgoingWebhookOf(values),
    stripe: stripeOf(values),
    providers: credentialsOf(values.providers, manifests),
    webhookSecret: secretOf(values.WEBHOOK_SECRET),
    ...appleOf(values),
    s3: s3Of(values),
  };
}
