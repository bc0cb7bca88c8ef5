/** Who may read the metrics, and what is in them while the database is there and while it is not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/app/config.ts';
import { createProcessMetrics } from '../../src/app/metrics.ts';
import { createMetricsHttp } from '../../src/app/metrics-http.ts';
import { metricsAccess } from '../../src/entry/metrics-access.ts';
import type { Figures } from '../../src/features/maintenance/figures.ts';
import { silentLog } from '../../src/kernel/log.ts';

const RULE = 'lots hold the balance';
const MONEY: Figures['money'] = {
  violations: [{ rule: RULE, open: 2 }],
  checkedAt: new Date(1_700_000_000_000),
  moved: [{ reason: 'iap_purchase', credits: 50 }],
  outstanding: 46,
};
const FIGURES: Figures = {
  money: MONEY,
  operations: {
    generations: [{ model: 'a "model"', provider: 'fal', outcome: 'completed', total: 7 }],
    accounts: 8,
    payingAccounts: 2,
    balances: [
      { upTo: 0, accounts: 5 },
      { upTo: 10, accounts: 2 },
      { upTo: 2_147_483_647, accounts: 1 },
    ],
    circuits: [
      { provider: 'fal', isOpen: true },
      { provider: 'runway', isOpen: false },
    ],
    queue: { depth: 3, oldestSeconds: 12.5 },
  },
};
const pool = { totalCount: 5, idleCount: 2, waitingCount: 1 };
const diskSpace = async () => ({ freeBytes: 25, totalBytes: 100 });
const PROCESS = { pool, diskSpace, log: silentLog };
/** The operator's own characters, not those of our access tokens. */
const TOKEN = 'a_token:/not?ours#';

type Call = { socketIp?: string | undefined; headers?: Record<string, string>; env?: Record<string, string> };

async function statusOf({ socketIp, headers = {}, env = {} }: Call): Promise<Response> {
  const access = metricsAccess(await readConfig(env), () => socketIp);
  const exportMetrics = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' });
  const api = createMetricsHttp({ exportMetrics, log: silentLog, newUuid: () => crypto.randomUUID() }, access);
  return api.request('/metrics', { headers });
}

describe('who may read the metrics', () => {
  const forwarded = { 'X-Forwarded-For': '127.0.0.1' };
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const cases: [name: string, call: Call, status: number][] = [
    ['this machine, without a token', { socketIp: '127.0.0.1' }, 200],
    ['this machine by IPv6', { socketIp: '::1' }, 200],
    ['this machine by IPv4 in IPv6', { socketIp: '::ffff:127.0.0.1' }, 200],
    ['another machine', { socketIp: '203.0.113.9' }, 403],
    ['another machine that says that it is this one', { socketIp: '203.0.113.9', headers: forwarded }, 403],
    ['another machine of the same network', { socketIp: '10.0.0.7' }, 403],
    ['a connection whose end is not known', { socketIp: undefined }, 403],
    [
      'a trusted proxy on this machine',
      { socketIp: '127.0.0.1', headers: forwarded, env: { TRUSTED_PROXY_HOPS: '1' } },
      403,
    ],
    [
      'a trusted proxy that says nothing in the header',
      { socketIp: '127.0.0.1', headers: { 'X-Forwarded-For': '' }, env: { TRUSTED_PROXY_HOPS: '1' } },
      403,
    ],
    ['this machine beside trusted proxies', { socketIp: '127.0.0.1', env: { TRUSTED_PROXY_HOPS: '1' } }, 200],
    ['this machine, where a token is set', { socketIp: '127.0.0.1', env: { METRICS_TOKEN: TOKEN } }, 401],
    [
      'the token, from anywhere',
      { socketIp: '203.0.113.9', headers: bearer(TOKEN), env: { METRICS_TOKEN: TOKEN } },
      200,
    ],
    [
      'a wrong token, from this machine',
      { socketIp: '127.0.0.1', headers: bearer(`${TOKEN}x`), env: { METRICS_TOKEN: TOKEN } },
      401,
    ],
    [
      'the token by another scheme',
      { socketIp: '127.0.0.1', headers: { Authorization: `Basic ${TOKEN}` }, env: { METRICS_TOKEN: TOKEN } },
      401,
    ],
  ];
  for (const [name, call, status] of cases) {
    it(`${name}: ${status}`, async () => {
      const response = await statusOf(call);
      assert.equal(response.status, status);
      assert.equal((await response.text()).includes('up 1'), status === 200);
      assert.equal(response.headers.has('WWW-Authenticate'), status === 401);
    });
  }

  it('a runtime without metrics says so, and only to those who may read them', async () => {
    const newUuid = () => crypto.randomUUID();
    const of = (isLocal: boolean) =>
      createMetricsHttp({ exportMetrics: null, log: silentLog, newUuid }, { token: undefined, isLocal: () => isLocal });
    assert.equal((await of(true).request('/metrics')).status, 501);
    assert.equal((await of(false).request('/metrics')).status, 403);
  });
});

describe('the metrics of a process', () => {
  it('show the money of the database beside what the process counts itself', async () => {
    const made = createProcessMetrics({ ...PROCESS, readFigures: async () => FIGURES });
    made.metrics.count('rendio_purchases_total', { store: 'apple', outcome: 'completed' });
    const { contentType, text } = await made.exportMetrics();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    for (const line of [
      `rendio_money_invariant_broken{invariant="${RULE}"} 2`,
      'rendio_credits_total{reason="iap_purchase"} 50',
      'rendio_credits_outstanding 46',
      'rendio_money_checked_timestamp_seconds 1700000000',
      'rendio_database_up 1',
      'rendio_purchases_total{store="apple",outcome="completed"} 1',
      'rendio_purchases_total{store="stripe",outcome="failed"} 0',
      'rendio_generations_total{model="a \\"model\\"",provider="fal",outcome="completed"} 7',
      'rendio_provider_circuit{provider="fal"} 1',
      'rendio_provider_circuit{provider="runway"} 0',
      'rendio_queue_depth 3',
      'rendio_queue_oldest_seconds 12.5',
      'rendio_accounts 8',
      'rendio_paying_accounts 2',
      'rendio_purchase_conversion_ratio 0.25',
      'rendio_account_credits_bucket{le="10"} 7',
      'rendio_account_credits_bucket{le="+Inf"} 8',
      'rendio_account_credits_sum 46',
      'rendio_account_credits_count 8',
      'rendio_database_sessions{state="used"} 3',
      'rendio_database_sessions{state="waited_for"} 1',
      'rendio_disk_free_ratio 0.25',
      'rendio_errors_total{code="ERR_6003"} 0',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
    assert.match(text, /^process_resident_memory_bytes \d+/m);
    assert.ok(text.endsWith('\n'));
    assert.equal(new Set(text.match(/^# TYPE \S+/gm)).size, text.match(/^# TYPE \S+/gm)?.length, 'each name once');
  });

  it('are there without the money while the database does not answer, and no second question waits for it', async () => {
    let reads = 0;
    const waiting = Promise.withResolvers<Figures>();
    const made = createProcessMetrics({
      ...PROCESS,
      waitMs: 20,
      readFigures: () => {
        reads += 1;
        return reads === 1 ? waiting.promise : Promise.resolve(FIGURES);
      },
    });
    for (let scrape = 0; scrape < 3; scrape += 1) {
      const { text } = await made.exportMetrics();
      assert.match(text, /^process_resident_memory_bytes/m);
      assert.match(text, /^rendio_database_up 0$/m);
      assert.doesNotMatch(text, /rendio_(?:money|credits|generations|queue|provider_circuit|account)/);
    }
    assert.equal(reads, 1);
    waiting.reject(new Error('the database is away'));
    await waiting.promise.catch(() => {});
    const { text } = await made.exportMetrics();
    assert.match(text, /^rendio_credits_outstanding 46$/m);
  });

  it('are read once for all scrapes at the same time', async () => {
    let reads = 0;
    const readFigures = async () => {
      reads += 1;
      return FIGURES;
    };
    const made = createProcessMetrics({ ...PROCESS, readFigures });
    await Promise.all(Array.from({ length: 20 }, () => made.exportMetrics()));
    assert.equal(reads, 1);
  });

  it('never show a counter that falls', async () => {
    const totals = [50, 40, 60];
    const readFigures = async () => ({
      ...FIGURES,
      money: { ...MONEY, moved: [{ reason: 'iap_purchase', credits: totals.shift() ?? 0 }] },
    });
    const made = createProcessMetrics({ ...PROCESS, readFigures });
    const shown: string[] = [];
    for (let scrape = 0; scrape < 3; scrape += 1) {
      const { text } = await made.exportMetrics();
      shown.push(/rendio_credits_total\{[^}]*\} (\d+)/.exec(text)?.[1] ?? '');
    }
    assert.deepEqual(shown, ['50', '50', '60']);
  });
});
