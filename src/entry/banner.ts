import { styleText } from 'node:util';
import type { Boot } from './boot.ts';
import { readVersion } from './version.ts';

/** What `npm start` prints once everything runs: the URL and the parts of the server. */
export function banner(boot: Boot, url: string, hasWorker: boolean, startMs: number): string {
  const { settings } = boot.config;
  const rows: [string, string][] = [
    [
      'database',
      boot.database.embedded ? `embedded PostgreSQL in ${settings.server.dataDir}` : 'PostgreSQL at DATABASE_URL',
    ],
    ['worker', hasWorker ? 'in this process' : 'off here (npm run worker)'],
    ['models', [...boot.running.ctx.providers.keys()].join(', ') || 'none'],
    ['simulated', simulatedRow(boot)],
  ];
  return bannerOf(`${readVersion()} · ${settings.environment} · ready in ${(startMs / 1000).toFixed(1)} s`, url, rows);
}

/** Which vendors are simulated in this process. */
export function simulatedRow({ simulated }: Pick<Boot, 'simulated'>): string {
  return simulated.length > 0 ? `${simulated.join(', ')} (no key is set, so no vendor is called)` : 'nothing';
}

/** The name with a line about it, the URL, and one row for each part. */
export function bannerOf(about: string, url: string, rows: [string, string][]): string {
  const dim = (text: string) => styleText('dim', text);
  return [
    '',
    `  ${styleText('bold', 'Rendio')} ${dim(about)}`,
    '',
    `  ${styleText(['bold', 'cyan'], url)}`,
    '',
    ...rows.map(([name, value]) => `  ${dim(name.padEnd(10))} ${value}`),
    '',
  ].join('\n');
}
