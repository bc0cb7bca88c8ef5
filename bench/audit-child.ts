/** Audits one database in a process of its own, and reports how long it took and how much memory the process needed at most. */
import { readSnapshot } from '../src/db/snapshot.ts';
import { audit } from '../src/features/maintenance/audit.ts';

export type Audited = { broken: number; rows: number; seconds: number; peakMb: number };

const began = performance.now();
const report = await readSnapshot(process.argv[2] ?? '', (snapshot) => audit(snapshot, { shownMax: 20 }));
const audited: Audited = {
  broken: report.broken.length,
  rows: report.rows,
  seconds: (performance.now() - began) / 1_000,
  peakMb: process.resourceUsage().maxRSS / 1_024,
};
process.send?.(audited);
