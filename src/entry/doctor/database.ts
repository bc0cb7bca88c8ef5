import { databaseFailureReason } from '../../db/failure.ts';
import { hostOf, urlsOf } from '../../db/hosts.ts';
import { type DatabaseState, inspectDatabase } from '../../db/inspect.ts';
import { ownerSession, restrictedSession } from '../../db/session.ts';
import { clockDifference, tryRole, trySameDatabase, trySessions } from '../../db/try-urls.ts';
import { errorCodeInChain } from '../../kernel/error-code.ts';
import { mayBePublic } from '../../kernel/public-ip.ts';
import type { Check, DoctorTools, FoundDatabase } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import { describeFailure } from './network.ts';

/** A server and its worker open about as many. */
const CONNECTIONS_WANTED = 40;

const MENDS: Record<string, string> = {
  ECONNREFUSED: 'Start it, or correct host and port.',
  ENOTFOUND: 'Correct the host.',
  '28P01': 'Set the right one, with its special characters percent-encoded.',
  '28000': 'Name another user, or let it log in (pg_hba.conf, `alter role … login`).',
  '3D000': 'Create it, or correct the last part of the URL.',
};

export const database: Check = {
  title: 'the database',
  variable: 'DATABASE_URL',
  async run(tools) {
    const found = await tools.database();
    if (!found) return [fine('DATABASE_URL', 'is not set: the embedded PostgreSQL is made, or started, by npm start')];
    const { url, directUrl, variables } = found;
    // Both at once: a silent host takes five seconds to be given up.
    const [direct, pooled] = await Promise.all([stateOf(variables.directUrl, directUrl), pooledUnreachable(found)]);
    if ('finding' in direct) return [direct.finding, ...pooled];
    const { state } = direct;
    const trials = [
      naming(variables.directUrl, () => trySessions(directUrl)),
      naming(variables.directUrl, () => noteClock(tools, directUrl)),
      // The role is made by the first start; without the right to act as it, that is the fault.
      ...(state.hasServerRole && state.faults.length === 0
        ? [naming(variables.directUrl, () => tryRole(directUrl))]
        : []),
      ...(url === directUrl ? [] : [naming(variables.url, () => trySame(url, directUrl, state))]),
    ];
    const failures = (await Promise.all(trials)).flat();
    return [...findingsIn(state, variables.directUrl, tools, directUrl), ...failures, ...fineUnless(failures, found)];
  },
};

async function stateOf(name: string, url: string): Promise<{ state: DatabaseState } | { finding: Finding }> {
  try {
    return { state: await inspectDatabase(url) };
  } catch (error) {
    return { finding: failure(name, error) };
  }
}

/** Whether the other URL can be opened at all, where the direct one is at fault already. */
async function pooledUnreachable({ url, directUrl, variables }: FoundDatabase): Promise<Finding[]> {
  if (url === directUrl) return [];
  const pooled = await stateOf(variables.url, url);
  return 'finding' in pooled ? [pooled.finding] : [];
}

async function trySame(url: string, directUrl: string, { hasServerRole }: DatabaseState): Promise<void> {
  await trySameDatabase(url, directUrl, hasServerRole ? restrictedSession : ownerSession);
}

async function noteClock({ clock, clocks }: DoctorTools, url: string): Promise<void> {
  clocks.note('the database', (await clockDifference(url, clock)) ?? 0);
}

async function naming(name: string, work: () => Promise<void>): Promise<Finding[]> {
  return work().then(
    () => [],
    (error: unknown) => [failure(name, error)],
  );
}

function failure(name: string, error: unknown): Finding {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = errorCodeInChain(first) ?? '';
  const reason = databaseFailureReason(error) ?? `${describeFailure(first)}.`;
  return wrong(name, `cannot be used: ${reason.replace(/\.$/, '')}`, MENDS[code] ?? 'Correct the URL or the database.');
}

function findingsIn(state: DatabaseState, name: string, tools: DoctorTools, url: string): Finding[] {
  const { environment } = tools.config.settings;
  const findings = state.faults.map((fault) => wrong(name, fault.replace(/\.$/, ''), 'Then run this again.'));
  if (state.connectionsMax < CONNECTIONS_WANTED)
    findings.push(
      warning(
        name,
        `leads to a server of ${state.connectionsMax} connections`,
        `A server with its worker uses up to ${CONNECTIONS_WANTED}: raise max_connections.`,
      ),
    );
  if (environment !== 'development' && !state.isEncrypted && urlsOf(url).some((each) => mayBePublic(hostOf(each).host)))
    findings.push(
      warning(name, 'leads over the internet without encryption', 'Add ?sslmode=require, or use a private network.'),
    );
  if (state.pending > 0)
    findings.push(
      fine(name, `leads to a database that lacks ${state.pending} migrations, which the next start applies`),
    );
  return findings;
}

function fineUnless(failures: Finding[], { variables }: FoundDatabase): Finding[] {
  return failures.length > 0 ? [] : [fine(variables.url, 'leads to a database that can be used as it has to be')];
}
