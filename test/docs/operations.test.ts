/** What is shipped for operators names only what exists: metrics, alerts, sections of the runbook. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createProcessMetrics } from '../../src/app/metrics.ts';
import { alertMessage } from '../../src/features/maintenance/worker/alert-message.ts';
import { REFUSED_KEYS } from '../../src/features/maintenance/worker/refused-keys.ts';
import { silentLog } from '../../src/kernel/log.ts';

const read = (file: string) => readFileSync(file, 'utf8');
const RUNBOOK = read('docs/runbook.md');
const RULES = read('deploy/prometheus/alerts.yml');
const DASHBOARD = JSON.parse(read('deploy/grafana/rendio.json'));
/** As GitHub makes anchors of headings. */
const anchors = new Set(
  [...RUNBOOK.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-')),
);
const namesIn = (text: string) => [...new Set(text.match(/\b(?:rendio|process|nodejs)_\w+/g) ?? [])];

/** Every name and every label that a scrape may have. */
async function scrape(): Promise<{ names: Set<string>; labels: Map<string, Set<string>> }> {
  const made = createProcessMetrics({
    log: silentLog,
    pool: { totalCount: 1, idleCount: 1, waitingCount: 0 },
    diskSpace: async () => ({ freeBytes: 1, totalBytes: 2 }),
    readFigures: async () => ({
      money: {
        violations: [{ rule: 'r', open: 0 }],
        checkedAt: null,
        moved: [{ reason: 'r', credits: 1 }],
        outstanding: 1,
      },
      operations: {
        generations: [{ model: 'm', provider: 'p', outcome: 'completed', total: 1 }],
        ...{ accounts: 1, payingAccounts: 1, balances: [{ upTo: 0, accounts: 1 }] },
        circuits: [{ provider: 'p', isOpen: false }],
        queue: { depth: 0, oldestSeconds: 0 },
      },
    }),
  });
  made.metrics.count('rendio_http_requests_total', { route: '/', method: 'GET', status: '200' });
  made.metrics.observe('rendio_http_request_duration_seconds', {}, 1);
  made.metrics.observe('rendio_generation_seconds', { provider: 'p' }, 1);
  made.metrics.observe('rendio_provider_request_seconds', { provider: 'p', call: 'submit', outcome: 'accepted' }, 1);
  const { text } = await made.exportMetrics();
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', found = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set<string>();
    for (const [, label = ''] of found.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  return { names: new Set(labels.keys()), labels };
}

describe('the dashboard and the alert rules', () => {
  it('name metrics and labels that a scrape has', async () => {
    const { names, labels } = await scrape();
    const expressions: string[] = DASHBOARD.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
      targets.map(({ expr }) => expr),
    );
    const rules = [...RULES.matchAll(/expr: (?:>-\n((?: {10}.*\n)+)|(.*))/g)].map(
      ([, block, line]) => block ?? line ?? '',
    );
    assert.ok(expressions.length > 20 && rules.length > 10);
    for (const expression of [...expressions, ...rules]) {
      for (const name of namesIn(expression)) assert.ok(names.has(name), `${name} in ${expression}`);
      for (const [, name = '', matchers = ''] of expression.matchAll(/\b(rendio_\w+)\{([^}]*)\}/g))
        for (const [, label = ''] of matchers.matchAll(/(\w+)=/g))
          assert.ok(labels.get(name)?.has(label), `${label} of ${name}`);
      for (const [, by = ''] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
        const known = new Set(namesIn(expression).flatMap((name) => [...(labels.get(name) ?? [])]));
        for (const label of by.split(',').map((each) => each.trim()))
          assert.ok(known.has(label), `${label} in ${expression}`);
      }
    }
  });

  it('take the maximum of what is the same from every process, never the sum', () => {
    const text = `${RULES}\n${JSON.stringify(DASHBOARD)}`;
    const ofDatabase = [
      'rendio_credits_total',
      'rendio_credits_outstanding',
      'rendio_generations_total',
      'rendio_queue_depth',
      'rendio_accounts',
    ];
    for (const name of ofDatabase)
      assert.doesNotMatch(text, new RegExp(`sum(?: by \\([^)]*\\))? ?\\((?:rate|increase)?\\(?${name}`), name);
  });

  it('each rule has its section in the runbook', () => {
    const links = [...RULES.matchAll(/alert: (\w+)[\s\S]*?runbook_url: docs\/runbook\.md#(\S+)/g)];
    assert.equal(links.length, [...RULES.matchAll(/- alert:/g)].length);
    for (const [, name = '', anchor = ''] of links) {
      assert.equal(anchor, name.toLowerCase());
      assert.ok(anchors.has(anchor), anchor);
    }
  });

  it('the metrics of the contract are there, with exactly their labels', async () => {
    const { labels } = await scrape();
    const expected: Record<string, string[]> = {
      rendio_http_requests_total: ['route', 'method', 'status'],
      rendio_http_request_duration_seconds_count: [],
      rendio_generations_total: ['model', 'provider', 'outcome'],
      rendio_generation_seconds_count: ['provider'],
      rendio_provider_request_seconds_count: ['provider', 'call', 'outcome'],
      rendio_credits_total: ['reason'],
      rendio_purchases_total: ['store', 'outcome'],
      rendio_rate_limited_total: ['policy'],
      rendio_auth_failures_total: ['reason'],
      rendio_provider_circuit: ['provider'],
      rendio_queue_depth: [],
      rendio_queue_oldest_seconds: [],
      rendio_errors_total: ['code'],
      rendio_money_invariant_broken: ['invariant'],
      rendio_credits_outstanding: [],
    };
    for (const [name, wanted] of Object.entries(expected))
      assert.deepEqual([...(labels.get(name) ?? ['missing'])].sort(), wanted.sort(), name);
  });
});

describe('each alert', () => {
  const source = read('src/alerts/port.ts');
  const kinds = [...(/type AlertKind =([^;]*);/.exec(source)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
    ([, kind = '']) => kind,
  );

  it('has its section in the runbook', () => {
    assert.ok(kinds.length > 8);
    for (const kind of kinds) assert.ok(anchors.has(kind), kind);
  });

  it('has a message that says what happened and what to do, whatever figures it has', () => {
    const details = { violations: 1, rules: [], accounts: [] };
    for (const kind of kinds) {
      const subjects = kind.endsWith('_key')
        ? Object.keys(REFUSED_KEYS)
        : kind === 'outgoing_webhook'
          ? ['failed', 'gone']
          : ['thing'];
      for (const subject of subjects) {
        const { title, text } = alertMessage({ kind, subject, details });
        assert.ok(title.length > 15 && text.length > 80, `${kind} ${subject}`);
        assert.doesNotMatch(`${title}${text}`, /undefined|null|\[object/);
      }
    }
    const { title, text } = alertMessage({ kind: 'queue_stalled', subject: '', details: null });
    assert.doesNotMatch(`${title}${text}`, /undefined|null/);
  });
});
