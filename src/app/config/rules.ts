/** Which variables must be set, which must be set together, and which are too weak. Whether values are valid is checked elsewhere. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import { credentialVariables } from './providers.ts';
import { weaknesses } from './strength.ts';
import { listOf } from './values.ts';
import type { Complaint, Environment, Given, VariableName } from './variables.ts';

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

/** Of `members`, all are set or none. Once one is set, `needs` must be set too; those may also be set alone. */
type Group = { members: string[]; needs?: VariableName[] };

const GROUPS: Group[] = [
  { members: ['SUPABASE_URL', 'SUPABASE_ANON_KEY', 'SUPABASE_SERVICE_ROLE_KEY'] },
  { members: ['TELEGRAM_BOT_TOKEN', 'TELEGRAM_CHAT_ID'] },
  { members: ['OUTGOING_WEBHOOK_URL', 'OUTGOING_WEBHOOK_SECRET'] },
  { members: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] },
  { members: ['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] },
  { members: ['APPLE_KEY_ID', 'APPLE_ISSUER_ID', 'APPLE_PRIVATE_KEY'], needs: ['APPLE_BUNDLE_ID', 'APPLE_APP_ID'] },
  { members: ['APPLE_DEVICECHECK_KEY_ID', 'APPLE_DEVICECHECK_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID'] },
  { members: ['APPLE_SERVICE_IDS'], needs: ['APPLE_BUNDLE_ID'] },
  { members: ['APPLE_SIGNIN_KEY_ID', 'APPLE_SIGNIN_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID', 'APPLE_BUNDLE_ID'] },
  { members: ['APPLE_APNS_KEY_ID', 'APPLE_APNS_PRIVATE_KEY'], needs: ['APPLE_TEAM_ID', 'APPLE_BUNDLE_ID'] },
  { members: ['DATABASE_DIRECT_URL'], needs: ['DATABASE_URL'] },
];

function missing(given: Given, environment: Environment): Complaint[] {
  return REQUIRED[environment]
    .filter((name) => !given[name])
    .map((name) => ({ name, problem: `is missing: ${environment} needs it` }));
}

/** Production needs the credentials of at least one provider. */
function missingProvider(given: Given, environment: Environment, manifests: readonly ProviderManifest[]): Complaint[] {
  const forProduction = manifests.filter(({ isForProduction }) => isForProduction);
  const [first, ...others] = credentialVariables(forProduction).map(({ name }) => name);
  const isFine = environment !== 'production' || [first, ...others].some((name) => name && given[name]);
  if (isFine || !first) return [];
  return [{ name: first, problem: `is missing: production needs a provider, so ${listOf(['this', ...others])}` }];
}

function incomplete(given: Given, { members, needs = [] }: Group): Complaint[] {
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

/** Everything that is missing or too weak. Without a valid ENVIRONMENT, only what every environment needs. */
export function complaintsAbout(
  given: Given,
  environment: Environment | undefined,
  manifests: readonly ProviderManifest[],
): Complaint[] {
  const ofProviders = manifests.map((manifest) => ({
    members: credentialVariables([manifest]).map(({ name }) => name),
  }));
  const always = [...GROUPS, ...ofProviders].flatMap((group) => incomplete(given, group));
  if (!environment) return always;
  const lacking = [...missing(given, environment), ...missingProvider(given, environment, manifests)];
  return [...lacking, ...insecure(given, environment), ...weaknesses(given, environment, manifests), ...always];
}
