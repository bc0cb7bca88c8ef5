/** What this process has of the database's sessions and of its disk. */
import { Gauge, type Registry } from 'prom-client';
import { within } from '../../kernel/sleep.ts';
import type { ProcessMetricsOptions } from '../runtime-capabilities.ts';

/** A disk of the network may hang. */
const DISK_WAIT_MS = 1_000;

export function addProcessGauges(
  register: Registry,
  { pool, diskSpace }: Pick<ProcessMetricsOptions, 'pool' | 'diskSpace'>,
): void {
  const registers = [register];
  new Gauge({
    name: 'rendio_database_sessions',
    help: 'Sessions of the database that this process has for requests and tasks, and statements that wait for one.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waited_for' }, pool.waitingCount);
    },
  });
  if (!diskSpace) return;
  new Gauge({
    name: 'rendio_disk_free_ratio',
    help: 'The share of the disk under DATA_DIR that is free, 0 to 1.',
    registers,
    async collect() {
      const space = await within(DISK_WAIT_MS, diskSpace()).catch(() => undefined);
      if (space) this.set(space.freeBytes / space.totalBytes);
      else this.remove();
    },
  });
}
