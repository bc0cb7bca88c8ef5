/** What is accepted and probably a mistake. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import { isLoopback } from '../loopback.ts';
import { credentialVariables } from './providers.ts';
import type { Complaint, Environment, Given, VariableName } from './variables.ts';

/** No vendor issues shorter keys. */
const KEY_CHARACTERS_MIN = 16;
/** Read elsewhere: by the entries, by Node, and from Supabase. */
const ALSO_READ = ['LOG_JSON', 'SUPABASE_DB_URL', 'SUPABASE_PUBLISHABLE_KEYS', 'SUPABASE_SECRET_KEYS'];

type Env = Record<string, string | undefined>;

/** Keys with which a vendor is called, and which it cannot have issued. */
export function shortKeys(given: Given, manifests: readonly ProviderManifest[]): Complaint[] {
  const problem = 'is too short for a key, and the vendor is called with it instead of being simulated';
  const names = new Set(credentialVariables(manifests).map(({ name }) => name));
  return [...names]
    .filter((name) => given[name] && given[name].length < KEY_CHARACTERS_MIN)
    .map((name) => ({ name, problem }));
}

/** These may be of one's own network, so they are not refused. */
const MAY_BE_PLAIN: VariableName[] = ['PUBLIC_URL', 'S3_ENDPOINT', 'ALERT_WEBHOOK_URL'];

/** Where images, videos or alerts would travel unencrypted, outside development. */
export function plainUrls(given: Given, environment: Environment): Complaint[] {
  if (environment === 'development') return [];
  return MAY_BE_PLAIN.filter((name) => {
    const url = given[name];
    return url !== undefined && /^http:/i.test(url) && !isLoopback(new URL(url).hostname);
  }).map((name) => ({ name, problem: 'is plain http: what is sent there can be read on the way' }));
}

/** `known`: the names of the variables that are read. */
export function misspellings(env: Env, known: Iterable<string>): Complaint[] {
  return misspelt(env, [...known, ...ALSO_READ]).map(({ name, meant }) => ({
    name,
    problem: `is not read: it may be a misspelt ${meant}`,
  }));
}

/** Variables that are set and are not read, one edit away from one that is. */
function misspelt(env: Env, known: string[]): { name: string; meant: string }[] {
  const unread = Object.keys(env).filter((name) => env[name]?.trim() && !known.includes(name));
  return unread.flatMap((name) => {
    const meant = known.find((each) => isOneEdit(name, each) || isInOtherCase(name, each, env));
    return meant ? [{ name, meant }] : [];
  });
}

/** On Windows the same variable has its name in any case. */
function isInOtherCase(name: string, known: string, env: Env): boolean {
  return name.toUpperCase() === known && env[known] === undefined;
}

/** Whether one letter was added, left out or replaced, or two neighbours were exchanged. */
function isOneEdit(written: string, meant: string): boolean {
  let at = 0;
  while (at < written.length && written[at] === meant[at]) at += 1;
  const [rest, wanted] = [written.slice(at), meant.slice(at)];
  if (rest === wanted) return false;
  return (
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest.slice(1) === wanted.slice(1) ||
    (rest[0] === wanted[1] && rest[1] === wanted[0] && rest.slice(2) === wanted.slice(2))
  );
}
