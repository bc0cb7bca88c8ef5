/** What outgoing webhooks cost a charge: switched off, where nothing may be felt, and switched on. */
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { type Measurement, quantile } from './report.ts';

/** What every server pays that has no receiver. */
const COST_OFF_MAX = 1.02;
/** Short turns, one after the other: what slows the machine down slows all of a round. */
const ROUNDS = 60;
const CHARGES = 40;

type Kind = 'without' | 'off' | 'on';

/** `charge` charges once, in one session. */
export async function costOfWebhooks(owner: pg.Pool, charge: () => Promise<void>): Promise<Measurement[]> {
  const times: Record<Kind, number[]> = { without: [], off: [], on: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each kind comes first in turn.
    const kinds: Kind[] = round % 2 === 0 ? ['without', 'off', 'on'] : ['on', 'off', 'without'];
    for (const kind of kinds) {
      await switchTo(owner, kind);
      // Plans the statements anew.
      await charge();
      for (let done = 0; done < CHARGES; done += 1) {
        const began = performance.now();
        await charge();
        times[kind].push(performance.now() - began);
      }
    }
  }
  await switchTo(owner, 'off');
  const ratio = (one: Kind, other: Kind) => quantile(times[one], 0.5) / quantile(times[other], 0.5);
  const name = 'cost of generate-video with webhooks';
  return [
    { name: `${name} off, of without them`, value: ratio('off', 'without'), unit: '×', promise: COST_OFF_MAX },
    { name: `${name} on, of off`, value: ratio('on', 'off'), unit: '×' },
  ];
}

async function switchTo(owner: pg.Pool, kind: Kind): Promise<void> {
  const source = await readFile(new URL('../db/procedures/credits/apply_credits.sql', import.meta.url), 'utf8');
  const call = /^ {2}if \(select sends_webhooks [\s\S]*?^ {2}end if;\n/m;
  if (!call.test(source)) throw new Error('apply_credits no longer calls schedule_webhook');
  await owner.query(kind === 'without' ? source.replace(call, '') : source);
  await owner.query('update settings set sends_webhooks = $1', [kind === 'on']);
}
