import { bannerOf, simulatedRow } from '../banner.ts';
import type { Boot } from '../boot.ts';
import { readVersion } from '../version.ts';
import { deno } from './runtime.ts';

/** What the server prints under Deno once it listens; above all, that a separate worker has to run the jobs. */
export function denoBanner(boot: Boot, port: number, startMs: number): string {
  const { environment, server } = boot.config.settings;
  const about = `${readVersion()} · ${environment} · Deno ${deno().version.deno} · ready in ${(startMs / 1000).toFixed(1)} s`;
  return bannerOf(about, server.publicUrl ?? `http://localhost:${port}`, [
    ['database', 'PostgreSQL at DATABASE_URL'],
    ['worker', 'none here: run `npm run worker` with the same DATABASE_URL and DATA_DIR; it renders the sandbox too'],
    ['models', [...boot.running.ctx.providers.keys()].join(', ') || 'none'],
    ['simulated', simulatedRow(boot)],
  ]);
}
