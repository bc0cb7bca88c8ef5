import { resolve } from 'node:path';
import { type ConfigOptions, examineEnvironment } from '../../app/config.ts';
import { realConnections } from '../../app/vendor-connections.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { errorCodeInChain, errorLabel } from '../../kernel/error-code.ts';
import { within } from '../../kernel/sleep.ts';
import { MANIFESTS } from '../../providers/manifests.ts';
import type { Check, DoctorTools, FoundDatabase } from './check.ts';
import { CHECKS } from './checks.ts';
import { createClocks, createTimedFetch } from './clocks.ts';
import { findSigningKeyId } from './data-dir.ts';
import type { Finding } from './finding.ts';
import { type Network, systemNetwork } from './network.ts';

export type ExamineOptions = ConfigOptions & {
  env: Record<string, string | undefined>;
  fetch?: typeof fetch;
  network?: Network;
  clock?: Clock;
  /** For one request, and for one check. */
  limits?: { requestMs: number; checkMs: number };
  /** Called as checks end: how many of how many, and which are still running. */
  progress?(done: number, all: number, running: string[]): void;
};

const LIMITS = { requestMs: 8_000, checkMs: 10_000 };
const ORDER: Finding['level'][] = ['wrong', 'warning', 'untried', 'fine'];

/** Runs all checks at the same time, in about ten seconds at most, and changes nothing. What is wrong comes first. */
export async function examine(options: ExamineOptions): Promise<Finding[]> {
  const { limits = LIMITS } = options;
  const tools = await createTools(options);
  const running = new Set(CHECKS);
  const found = await Promise.all(
    CHECKS.map(async (check) => {
      const findings = await runCheck(check, tools, limits.checkMs);
      running.delete(check);
      options.progress?.(
        CHECKS.length - running.size,
        CHECKS.length,
        [...running].map(({ title }) => title),
      );
      return findings;
    }),
  );
  const all = unique([...found.flat(), ...tools.clocks.findings()]);
  return ORDER.flatMap((level) => all.filter((finding) => finding.level === level));
}

async function createTools({
  env,
  clock = systemClock,
  network = systemNetwork,
  ...options
}: ExamineOptions): Promise<DoctorTools> {
  const { manifests = MANIFESTS, limits = LIMITS } = options;
  const examined = await examineEnvironment(env, { manifests });
  const clocks = createClocks();
  const timedFetch = createTimedFetch(options.fetch ?? fetch, clock, clocks, limits.requestMs);
  const { config } = examined;
  const dataDir = resolve(config.settings.server.dataDir);
  return {
    ...examined,
    ...{ env, manifests, dataDir, network, clock, clocks },
    fetch: timedFetch,
    connections: realConnections(config, manifests, timedFetch),
    database: once(() => findDatabase(examined, dataDir)),
    signingKeyId: once(() => findSigningKeyId({ config, dataDir })),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Never starts the embedded PostgreSQL: a database of its own would be migrated, or hold up the start of the server. */
async function findDatabase(
  { config, given, complaints }: Pick<DoctorTools, 'config' | 'given' | 'complaints'>,
  dataDir: string,
): Promise<FoundDatabase | null> {
  const { database } = config.secrets;
  if (database) {
    const variables = {
      url: 'DATABASE_URL',
      directUrl: given.DATABASE_DIRECT_URL ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL',
    };
    return { url: database.url.reveal(), directUrl: database.directUrl.reveal(), variables };
  }
  if (complaints.some(({ name }) => name === 'DATABASE_URL')) return null;
  const { findRunningPostgres } = await import('../../embedded-postgres/find-running.ts');
  const url = await findRunningPostgres(dataDir);
  return url === null ? null : { url, directUrl: url, variables: { url: 'DATA_DIR', directUrl: 'DATA_DIR' } };
}

async function runCheck({ run, variable }: Check, tools: DoctorTools, limitMs: number): Promise<Finding[]> {
  try {
    return (await within(limitMs, run(tools))) ?? [failed(variable, 'no answer in time')];
  } catch (error) {
    return [failed(variable, errorCodeInChain(error) ?? errorLabel(error))];
  }
}

function failed(name: string, why: string): Finding {
  return {
    level: 'wrong',
    name,
    problem: `could not be checked (${why})`,
    mend: 'Run this again; if it stays, it is a fault of the check.',
  };
}

/** Two checks may meet the same fault: a host that both need. */
function unique(findings: Finding[]): Finding[] {
  const lines = new Map(findings.map((finding) => [`${finding.level} ${finding.name} ${finding.problem}`, finding]));
  return [...lines.values()];
}
