/** The public part of the configuration: it can be logged, printed and shown in the console. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import { type Limits, limitsOf } from './limits.ts';
import { type ProviderUrls, urlsOf } from './providers.ts';
import { type Simulated, simulatedIn } from './simulated.ts';
import type { Environment, Values } from './variables.ts';

/** URLs have no slash at their end. */
export type Settings = {
  environment: Environment;
  server: {
    /** 0: any free port. */
    port: number;
    host: string;
    publicUrl: string | undefined;
    /** As written: relative to the directory the process was started in. */
    dataDir: string;
    worker: boolean;
    corsOrigins: '*' | string[];
    logLevel: Values['LOG_LEVEL'];
    trustedProxyHops: number;
    /** Where a worker that runs alone serves its metrics; undefined: nowhere. */
    metricsPort: number | undefined;
  };
  /** The base URLs of each provider. */
  providers: ProviderUrls;
  apple: {
    bundleId: string | undefined;
    /** Further audiences of identity tokens. */
    serviceIds: string[];
    /** The app's number in the App Store. */
    appId: number | undefined;
    teamId: string | undefined;
    /** The file or the folder of the roots that replace Apple's own. */
    rootCertsPath: string | undefined;
    sandboxPurchases: 'grant' | 'refuse';
    /** Whether the app has its users' consent to tell Apple how much of a purchase they have used. */
    consumptionConsent: boolean;
    /** What Apple is told to prefer when a refund is asked for; null: nothing. */
    refundPreference: NonNullable<Values['APPLE_REFUND_PREFERENCE']> | null;
    deviceCheckUrl: string;
    /** Apple's other host, which is asked about tokens that the first does not know; undefined in production. */
    deviceCheckOtherUrl: string | undefined;
    appStoreUrl: string;
    appStoreSandboxUrl: string;
    idUrl: string;
    /** Undefined: Apple's own host for each push token's environment. */
    apnsUrl: string | undefined;
  };
  stripeUrl: string;
  /** Where traces are sent; without a URL, nowhere. */
  tracing: {
    /** With its path. */
    url: string | undefined;
    isDisabled: boolean;
    protocol: 'http/protobuf' | 'http/json';
    serviceName: string;
    sampler: Values['OTEL_TRACES_SAMPLER'];
    /** The share of traces that is kept. */
    samplerArgument: number;
  };
  telegramUrl: string;
  /** How long rows of error_log are kept. */
  errorLogDays: number;
  /** `host` or `host:port`, in lower case; they come in addition to the providers' own. */
  mediaAllowedHosts: string[];
  limits: Limits;
  /** In days; null: for ever. */
  retention: { videoDays: number | null; jobArchiveDays: number | null };
  /** Words and phrases that no prompt may have, as the operator's file has them. */
  promptBlocklist: readonly string[];
  simulated: Simulated;
};

/**
 * Only Apple's development host knows the device tokens of builds that Xcode runs, and only the other one those from TestFlight
 * and the App Store. In production, tokens of development builds prove nothing.
 */
function deviceCheckUrlsOf(values: Values): Pick<Settings['apple'], 'deviceCheckUrl' | 'deviceCheckOtherUrl'> {
  const given = values.APPLE_DEVICECHECK_URL;
  if (given !== undefined) return { deviceCheckUrl: given, deviceCheckOtherUrl: undefined };
  const [main, development] = ['https://api.devicecheck.apple.com', 'https://api.development.devicecheck.apple.com'];
  if (values.ENVIRONMENT === 'development') return { deviceCheckUrl: development, deviceCheckOtherUrl: main };
  return { deviceCheckUrl: main, deviceCheckOtherUrl: values.ENVIRONMENT === 'production' ? undefined : development };
}

function serverOf(values: Values): Settings['server'] {
  const isDevelopment = values.ENVIRONMENT === 'development';
  return {
    port: values.PORT,
    // A developer's machine is not reachable from outside unless HOST says so.
    host: values.HOST ?? (isDevelopment ? '127.0.0.1' : '0.0.0.0'),
    publicUrl: values.PUBLIC_URL,
    dataDir: values.DATA_DIR,
    worker: values.WORKER === 'on',
    corsOrigins: values.CORS_ORIGINS ?? (isDevelopment ? '*' : []),
    logLevel: values.LOG_LEVEL,
    trustedProxyHops: values.TRUSTED_PROXY_HOPS,
    metricsPort: values.METRICS_PORT,
  };
}

function appleOf(values: Values): Settings['apple'] {
  return {
    bundleId: values.APPLE_BUNDLE_ID,
    serviceIds: values.APPLE_SERVICE_IDS,
    appId: values.APPLE_APP_ID,
    teamId: values.APPLE_TEAM_ID,
    rootCertsPath: values.APPLE_ROOT_CERTS?.path,
    sandboxPurchases: values.APPLE_SANDBOX_PURCHASES ?? (values.ENVIRONMENT === 'production' ? 'refuse' : 'grant'),
    consumptionConsent: values.APPLE_CONSUMPTION_CONSENT === 'on',
    refundPreference: values.APPLE_REFUND_PREFERENCE ?? null,
    ...deviceCheckUrlsOf(values),
    appStoreUrl: values.APPLE_APPSTORE_URL,
    appStoreSandboxUrl: values.APPLE_APPSTORE_SANDBOX_URL,
    idUrl: values.APPLE_ID_URL ?? 'https://appleid.apple.com',
    apnsUrl: values.APPLE_APNS_URL,
  };
}

function tracingOf(values: Values): Settings['tracing'] {
  const base = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  return {
    // The base URL serves several signals, the other one traces alone.
    url: values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`),
    isDisabled: values.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || values.OTEL_TRACES_EXPORTER === 'none',
    protocol: values.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? values.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf',
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER,
    samplerArgument: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** The settings, with every default filled in. */
export function settingsOf(values: Values, manifests: readonly ProviderManifest[]): Settings {
  return {
    environment: values.ENVIRONMENT,
    server: serverOf(values),
    providers: urlsOf(values.providers, manifests),
    apple: appleOf(values),
    stripeUrl: values.STRIPE_API_URL,
    tracing: tracingOf(values),
    telegramUrl: values.TELEGRAM_API_URL,
    errorLogDays: values.ERROR_LOG_DAYS,
    mediaAllowedHosts: values.MEDIA_ALLOWED_HOSTS,
    limits: limitsOf(values),
    retention: { videoDays: values.VIDEO_RETENTION_DAYS ?? null, jobArchiveDays: values.JOB_ARCHIVE_DAYS ?? null },
    promptBlocklist: values.PROMPT_BLOCKLIST_FILE ?? [],
    simulated: simulatedIn(values, manifests),
  };
}
