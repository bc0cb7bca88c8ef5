/** What must be set, and what must be set together. Looks only at which variables are set, so it complains beside types. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import { credentialVariables } from './providers.ts';
import { listOf } from './values.ts';
import type { Environment, Given, VariableName } from './variables.ts';

export type Complaint = { name: string; problem: string };

const REQUIRED: Record<Environment, VariableName[]> = {
  development: [],
  staging: [],
  production: [
    'DATABASE_URL',
    'JWT_PRIVATE_KEY',
    'SECRET_KEY',
    'PUBLIC_URL',
    'APPLE_BUNDLE_ID',
    'APPLE_TEAM_ID',
    'APPLE_DEVICECHECK_KEY_ID',
    'APPLE_DEVICECHECK_PRIVATE_KEY',
  ],
};

/** `members` are whole or absent; once one is set, `needs` must be too, though they may well stand alone. */
type Group = { members: string[]; needs?: VariableName[] };

const GROUPS: Group[] = [
  { members: ['SUPABASE_URL', 'SUPABASE_ANON_KEY', 'SUPABASE_SERVICE_ROLE_KEY'] },
  { members: ['TELEGRAM_BOT_TOKEN', 'TELEGRAM_CHAT_ID'] },
  { members: ['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] },
  { members: ['APPLE_KEY_ID', 'APPLE_ISSUER_ID', 'APPLE_PRIVATE_KEY'], needs: ['APPLE_BUNDLE_ID'] },
  { members: ['APPLE_DEVICECHECK_KEY_ID', 'APPLE_DEVICECHECK_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID'] },
  { members: ['APPLE_SIGNIN_KEY_ID', 'APPLE_SIGNIN_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID', 'APPLE_BUNDLE_ID'] },
  { members: ['APPLE_APNS_KEY_ID', 'APPLE_APNS_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID', 'APPLE_BUNDLE_ID'] },
  { members: ['DATABASE_DIRECT_URL'], needs: ['DATABASE_URL'] },
];

function missing(given: Given, environment: Environment): Complaint[] {
  return REQUIRED[environment]
    .filter((name) => !given[name])
    .map((name) => ({ name, problem: `is missing: ${environment} needs it` }));
}

/** Production has something to sell. */
function missingProvider(given: Given, environment: Environment, manifests: readonly ProviderManifest[]): Complaint[] {
  const forProduction = manifests.filter(({ isForProduction }) => isForProduction);
  const [first, ...others] = credentialVariables(forProduction).map(({ name }) => name);
  const isFine = environment !== 'production' || [first, ...others].some((name) => name && given[name]);
  if (isFine || !first) return [];
  return [{ name: first, problem: `is missing: production needs a provider, so ${listOf(['this', ...others])}` }];
}

function broken(given: Given, { members, needs = [] }: Group): Complaint[] {
  const present = members.filter((name) => given[name]);
  if (present.length === 0) return [];
  return [...members, ...needs]
    .filter((name) => !given[name])
    .map((name) => ({ name, problem: `is missing: ${present.join(' and ')} cannot be used without it` }));
}

function insecure(given: Given, environment: Environment): Complaint[] {
  if (environment !== 'production' || !given.PUBLIC_URL || /^https:/i.test(given.PUBLIC_URL)) return [];
  return [{ name: 'PUBLIC_URL', problem: 'must be https in production' }];
}

/** Everything that is missing, given what is set; without an environment, only what holds in all of them. */
export function complaintsAbout(
  given: Given,
  environment: Environment | undefined,
  manifests: readonly ProviderManifest[],
): Complaint[] {
  const ofProviders = manifests.map((manifest) => ({
    members: credentialVariables([manifest]).map(({ name }) => name),
  }));
  const always = [...GROUPS, ...ofProviders].flatMap((group) => broken(given, group));
  if (!environment) return always;
  const lacking = [...missing(given, environment), ...missingProvider(given, environment, manifests)];
  return [...lacking, ...insecure(given, environment), ...always];
}
