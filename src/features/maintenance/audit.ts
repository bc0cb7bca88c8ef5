import type { Snapshot } from '../../db/snapshot.ts';
import { explainViolation, type Violation } from './violations.ts';

/** `total`: how many there are; `shown`: the first of them. */
export type BrokenRule = { rule: string; total: number; shown: string[] };
/** `rows`: of the ledger, the jobs, the lots, their movements and the purchases. */
export type AuditReport = { rules: number; rows: number; broken: BrokenRule[] };

export type AuditOptions = {
  /** At most so many violations of a rule are explained. */
  shownMax: number;
  onStep?: (step: { done: number; total: number; title: string }) => void;
};

type Row = Violation & { total: number };

type Compared = { part: string; is_proven: boolean; rows: number };

const [FIRST, LAST] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
/** Balances, what is compared by sums, and the three parts of that which may have to be read row by row. */
const STEPS = 5;
/** Going through more of them one by one takes as long as going through all accounts at once. */
const SUSPECTS_MAX = 1_000;

/** Checks every rule of the money over the whole database, as it is at one moment. Changes nothing. */
export async function audit(snapshot: Snapshot, { shownMax, onStep }: AuditOptions): Promise<AuditReport> {
  let done = 0;
  const step = (title: string) => onStep?.({ done: done++, total: STEPS, title });
  step('balances, generations, lots and purchases');
  const rules = await snapshot.query<{ rule: string }>('select rule from public.money_rules()');
  const [found, compared] = await Promise.all([
    violationsOf(snapshot, 'balances', shownMax),
    snapshot.query<Compared>('select part, is_proven, rows from public.compare_sums()'),
  ]);
  step('what is proven');
  for (const { part, is_proven } of compared) {
    step(part);
    if (!is_proven) found.push(...(await violationsIn(snapshot, part, shownMax)));
  }
  return { rules: rules.length, rows: compared.reduce((sum, { rows }) => sum + rows, 0), broken: byRule(found) };
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
