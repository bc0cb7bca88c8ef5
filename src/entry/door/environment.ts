/** What an edge function is told of itself, in the words of our own environment table. */
import { StartupError } from '../../kernel/startup-error.ts';

type Env = Record<string, string | undefined>;

/**
 * Supabase's own variables stand in for ours where ours are not set. The address is that of the functions: there every
 * path of the API is served below it, so links, issuers and webhook addresses that begin with it are right.
 */
export function edgeEnvironment(env: Env): Env {
  return {
    ...env,
    DATABASE_URL: env.DATABASE_URL || env.SUPABASE_DB_URL,
    SUPABASE_ANON_KEY: env.SUPABASE_ANON_KEY || defaultKeyOf(env.SUPABASE_PUBLISHABLE_KEYS),
    SUPABASE_SERVICE_ROLE_KEY: env.SUPABASE_SERVICE_ROLE_KEY || defaultKeyOf(env.SUPABASE_SECRET_KEYS),
    PUBLIC_URL: env.PUBLIC_URL || (env.SUPABASE_URL && `${env.SUPABASE_URL.replace(/\/+$/, '')}/functions/v1`),
  };
}

/** Projects whose legacy keys are switched off are told of the newer ones alone: a JSON object of keys by their names. */
function defaultKeyOf(keys: string | undefined): string | undefined {
  try {
    const key: unknown = Object(JSON.parse(keys ?? '{}')).default;
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Throws where an isolate cannot keep, or cannot make for itself, what a machine can. */
export function requireForIsolates(env: Env): void {
  const missing: string[] = [];
  if (!env.DATABASE_URL) missing.push('  DATABASE_URL is missing: there is no SUPABASE_DB_URL to use instead.');
  if (!env.S3_ENDPOINT && !env.DATA_DIR) {
    missing.push(
      '  S3_ENDPOINT is missing: an isolate has no disk that stays. (On a machine, DATA_DIR may name a folder.)',
    );
  }
  if (env.ENVIRONMENT !== 'development' && env.ENVIRONMENT !== undefined) {
    for (const name of ['JWT_PRIVATE_KEY', 'SECRET_KEY']) {
      if (!env[name]) missing.push(`  ${name} is missing: every isolate has to use the same one.`);
    }
  }
  if (missing.length > 0) throw new StartupError(`These functions cannot run:\n${missing.join('\n')}`);
}
