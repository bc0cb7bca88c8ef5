/** Maps the environment of an edge function to this server's own variables. */
import { StartupError } from '../../kernel/startup-error.ts';

type Env = Record<string, string | undefined>;

/**
 * Supabase's variables are used where ours are not set. `PUBLIC_URL` becomes the URL of the functions: every path of the API
 * is served below it, so links, issuers and webhook URLs that begin with it are right.
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

/** Projects with disabled legacy keys have only the newer ones: a JSON object of keys by their names. */
function defaultKeyOf(keys: string | undefined): string | undefined {
  try {
    const key: unknown = Object(JSON.parse(keys ?? '{}')).default;
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Throws if a value is missing that an isolate, unlike a machine, cannot store or generate itself. */
export function requireForIsolates(env: Env): void {
  const missing: string[] = [];
  if (!env.DATABASE_URL) missing.push('  DATABASE_URL is missing: there is no SUPABASE_DB_URL to use instead.');
  if (!env.S3_ENDPOINT && !env.DATA_DIR) {
    missing.push(
      '  S3_ENDPOINT is missing: an isolate has no persistent disk. (On a machine, DATA_DIR may name a folder.)',
    );
  }
  if (env.ENVIRONMENT !== 'development' && env.ENVIRONMENT !== undefined) {
    for (const name of ['JWT_PRIVATE_KEY', 'SECRET_KEY']) {
      if (!env[name]) missing.push(`  ${name} is missing: every isolate has to use the same one.`);
    }
  }
  if (missing.length > 0) throw new StartupError(`These functions cannot run:\n${missing.join('\n')}`);
}
