import type { Snapshot } from '../../db/snapshot.ts';
import { explainViolation, type Violation } from './violations.ts';

/** `total`: how many there are; `shown`: the first of them. */
export type BrokenRule = { rule: string; total: number; shown: string[] };
/** `rows`: of all tables that were read. */
export type AuditReport = { rules: number; rows: number; broken: BrokenRule[] };

export type AuditOptions = {
  /** At most so many violations of a rule are explained. */
  shownMax: number;
  onStep?: (step: { done: number; total: number; title: string }) => void;
};

type Row = Violation & { total: number };

const [FIRST, LAST] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
/** Read as sums first, and row by row only where the sums differ. */
const PARTS = ['generations', 'lots', 'purchases'];
/** Going through more of them one by one takes as long as going through all accounts at once. */
const SUSPECTS_MAX = 1_000;
const ROWS = `
  select (select count(*) from users) + (select count(*) from quota_log) + (select count(*) from credit_lots)
    + (select count(*) from lot_movements) + (select count(*) from video_jobs) + (select count(*) from purchases) as rows`;

/** Checks every rule of the money over the whole database, as it is at one moment. Changes nothing. */
export async function audit(snapshot: Snapshot, { shownMax, onStep }: AuditOptions): Promise<AuditReport> {
  const step = (done: number, title: string) => onStep?.({ done, total: PARTS.length + 2, title });
  const found: Row[] = [];
  step(0, 'balances');
  found.push(...(await violationsOf(snapshot, 'balances', shownMax)));
  step(1, PARTS.join(', '));
  const unproven = await snapshot.query<{ part: string }>('select part from public.unproven_parts()');
  for (const [index, part] of PARTS.entries()) {
    if (!unproven.some((each) => each.part === part)) continue;
    step(index + 2, `${part}, row by row`);
    found.push(...(await violationsIn(snapshot, part, shownMax)));
  }
  step(PARTS.length + 1, 'counting');
  const [counted] = await snapshot.query<{ rows: number }>(ROWS);
  const rules = await snapshot.query<{ rule: string }>('select rule from public.money_rules()');
  step(PARTS.length + 2, 'done');
  return { rules: rules.length, rows: counted?.rows ?? 0, broken: byRule(found) };
}

/** Where it is not proven that a part holds: row by row, in the suspected accounts alone if they are few. */
async function violationsIn(snapshot: Snapshot, part: string, shownMax: number): Promise<Row[]> {
  const suspects = await snapshot.query<{ user_id: string }>(
    'select user_id from public.suspected_accounts($1) limit $2',
    [part, SUSPECTS_MAX + 1],
  );
  if (suspects.length === 0 || suspects.length > SUSPECTS_MAX) return violationsOf(snapshot, part, shownMax);
  return limited(
    snapshot,
    `select distinct b.invariant, b.subject, b.details
     from unnest($2::uuid[]) a (id)
     cross join lateral (select (select id from users where id < a.id order by id desc limit 1) as id) p
     cross join lateral public.broken_${part}(coalesce(p.id, '${FIRST}'), a.id) b`,
    [shownMax, suspects.map(({ user_id }) => user_id)],
  );
}

function violationsOf(snapshot: Snapshot, part: string, shownMax: number): Promise<Row[]> {
  return limited(snapshot, `select * from public.broken_${part}('${FIRST}', '${LAST}')`, [shownMax]);
}

/** The first violations of each rule. Their number is bounded here, so that neither side has to hold them all. */
function limited(snapshot: Snapshot, violations: string, values: [shownMax: number, ...unknown[]]): Promise<Row[]> {
  return snapshot.query<Row>(
    `select invariant, subject, details, total
     from (
       select b.*, row_number() over (partition by invariant order by subject) as n, count(*) over (partition by invariant) as total
       from (${violations}) b
     ) numbered
     where n <= $1
     order by invariant, n`,
    values,
  );
}

function byRule(rows: Row[]): BrokenRule[] {
  return [...Map.groupBy(rows, ({ invariant }) => invariant)].map(([rule, found]) => ({
    rule,
    total: found[0]?.total ?? 0,
    shown: found.map(explainViolation),
  }));
}
