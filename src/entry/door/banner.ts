import { bannerOf, simulatedRow } from '../banner.ts';
import type { Boot } from '../boot.ts';
import { readVersion } from '../version.ts';
import { deno } from './runtime.ts';

/** What the Deno door prints once it answers; above all, that somebody else has to do the work. */
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
