import type { Boot } from '../boot.ts';
import type { AdminTools } from './command.ts';
import { findDatabase } from './database.ts';

/** Runs `work` with the whole application, on the database of a running server or the one that the environment names. */
export async function withApplication(tools: AdminTools, work: (booted: Boot) => Promise<number>): Promise<number> {
  const { boot } = await import('../boot.ts');
  const { found } = await findDatabase(tools);
  // Beside a running server: on its database, which the environment need not name.
  const env = { ...tools.env, DATABASE_URL: found.url, DATABASE_DIRECT_URL: found.directUrl };
  try {
    const booted = await boot({ env, canEmbed: false });
    try {
      return await work(booted);
    } finally {
      booted.stopping.abort();
      await booted.close();
    }
  } finally {
    await found.close();
  }
}
