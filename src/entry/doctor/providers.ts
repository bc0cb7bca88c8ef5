import type { ConnectionTrial, ProviderManifest } from '../../providers/manifest.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, untried, warning, wrong } from './finding.ts';
import { describeCause, unreachable } from './network.ts';

/** The key of each provider that would be called for real, by a call that makes nothing. */
export const providers: Check = {
  title: 'video providers',
  variable: 'FALAI_API_KEY',
  async run(tools) {
    const all = [...tools.connections.providers.values()].map(async ({ manifest, connection }) => {
      const names = keysOf(manifest, tools);
      // Without a key of its own, it has the one that another provider's trial has shown to work or not.
      if (names.length === 0) return [];
      if (!manifest.tryConnection)
        return names.map((name) => untried(name, `is not tried: ${manifest.displayName} has no call that is free`));
      const trials = await manifest.tryConnection(connection, AbortSignal.timeout(TRIAL_MS));
      return trials.flatMap((trial) => findingsOf(trial, manifest, connection.urls, names));
    });
    return (await Promise.all(all)).flat();
  },
};

const TRIAL_MS = 9_000;

function keysOf({ credentials }: ProviderManifest, { given }: DoctorTools): string[] {
  return Object.values(credentials).flatMap(({ name }) => (given[name as keyof typeof given] ? [name] : []));
}

function findingsOf(
  trial: ConnectionTrial,
  { displayName, urls }: ProviderManifest,
  connected: Readonly<Record<string, string>>,
  names: string[],
): Finding[] {
  switch (trial.outcome) {
    case 'accepted':
      return names.map((name) => fine(name, `is accepted by ${displayName}`));
    case 'refused':
      return names.map((name) =>
        wrong(
          name,
          `is refused by ${displayName} (${trial.cause})`,
          `Copy the whole key from ${displayName}’s dashboard, or make a new one.`,
        ),
      );
    case 'exhausted':
      return names.map((name) =>
        warning(
          name,
          `belongs to an account without credit at ${displayName} (${trial.cause})`,
          `Add credit there: every video fails until then.`,
        ),
      );
    case 'unreachable': {
      const variable = urls[trial.url];
      const url = connected[trial.url];
      return variable && url ? [unreachable(variable.name, url, describeCause(trial.cause))] : [];
    }
  }
}
