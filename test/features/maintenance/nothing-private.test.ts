/** What operators and receivers are shown is free of what is private, however it came into the server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTracing, type Tracing } from '../../../src/entry/tracing/start.ts';
import { openAlertInbox } from '../../support/alert-inbox.ts';
import { type KeptLog, keepLog } from '../../support/log-lines.ts';
import { type OtlpReceiver, openOtlpReceiver } from '../../support/otlp-receiver.ts';
import { livePlanted, MARKERS, type PlantedLife, plantWorld } from '../../support/planted-markers.ts';
import { openShop, type Shop } from '../purchases/shop.ts';

describe('after a life with every kind of error', () => {
  let shop: Shop;
  let life: PlantedLife;
  let kept: KeptLog;
  let receiver: OtlpReceiver;
  let tracing: Tracing;
  let sent: string;
  before(async () => {
    kept = keepLog('trace');
    receiver = await openOtlpReceiver();
    await using inbox = await openAlertInbox();
    const settings = {
      ...{ url: `${receiver.url}/v1/traces`, headers: {}, protocol: 'http/json' as const, serviceName: 'rendio' },
      ...{ environment: 'staging', sampler: { name: 'always_on', argument: 1 }, delayMs: 100 },
    };
    tracing = await startTracing(settings, '1', kept.log);
    const world = await plantWorld(kept.log);
    const env = { ALERT_WEBHOOK_URL: `${inbox.url}/hook`, WEBHOOK_SECRET: 'a-secret-of-webhooks' };
    const overrides = { ...world.overrides, tracer: tracing.tracer };
    shop = await openShop(env, { log: kept.log, overrides });
    life = await livePlanted(shop, world);
    await tracing.close();
    sent = JSON.stringify(inbox.requests);
  });
  after(async () => {
    await shop[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  /** Fails with the place of what was found, for the one who has to mend it. */
  const assertClean = (place: string, text: string) => {
    for (const [name, marker] of [
      ...Object.entries(MARKERS),
      ...life.secrets.map((secret) => ['a token', secret] as const),
    ]) {
      const at = text.indexOf(marker);
      assert.ok(at < 0, `${place} has ${name}: …${text.slice(Math.max(0, at - 300), at + 100)}…`);
    }
  };

  it('no line of the log has a marker, at the lowest level', () => {
    assert.ok(kept.lines().length > 100);
    assertClean('the log', kept.text());
  });

  it('no body of an error has one', () => {
    for (const body of life.errors) assertClean('an error', body);
  });

  it('no metric has one', async () => {
    assertClean('/metrics', (await shop.people.app.ctx.exportMetrics?.())?.text ?? '');
  });

  it('no trace has one', () => {
    assert.ok(receiver.spans().length > 50);
    assertClean('a trace', receiver.requests.map(({ body }) => body.toString()).join('\n'));
  });

  it('no alert has one, neither in the database nor where it was sent', async () => {
    assert.ok(sent.length > 100, sent);
    assertClean('an alert', sent);
    assertClean('alerts', JSON.stringify(await shop.people.rows('select * from alerts')));
  });

  it('no row that is kept for operators has one', async () => {
    const tables = [
      'error_log',
      'provider_attempts',
      'provider_events',
      'admin_actions',
      'metric_totals',
      'metric_entries',
    ];
    for (const table of tables) assertClean(table, JSON.stringify(await shop.people.rows(`select * from ${table}`)));
    assertClean('the queue', JSON.stringify(await shop.people.rows('select * from graphile_worker._private_jobs')));
  });

  it('each line has a time, a level, the environment and an event or a message; those of a request have its id', () => {
    for (const line of kept.lines()) {
      assert.equal(typeof line.timestamp, 'string');
      assert.ok(['debug', 'info', 'warn', 'error'].includes(String(line.level)));
      assert.equal(line.environment, 'staging');
      assert.ok(line.msg.length > 0);
    }
    const requests = kept.lines('request');
    const ids = new Set(requests.map(({ request_id }) => request_id));
    assert.equal(ids.size, requests.length);
    for (const event of [
      'user_onboarded',
      'video_generation_started',
      'purchase_completed',
      'idempotent_replay',
      'account_merged',
    ] as const) {
      const [line] = kept.lines(event);
      assert.ok(line, event);
      assert.ok(ids.has(line.request_id), `${event} names its request`);
    }
    for (const event of [
      'video_generation_completed',
      'video_generation_error',
      'credits_refunded',
      'purchase_refunded',
      'api_error',
      'auth_failed',
      'admin_action',
      'vendor_key_refused',
      'video_generation_cancelled',
    ] as const)
      assert.ok(kept.lines(event).length > 0, event);
  });

  it('a line has the id of its own request, also of very many at once that share the database’s sessions', async () => {
    const guests = await Promise.all(Array.from({ length: 40 }, () => shop.guest()));
    const claims = guests.map((guest) =>
      shop.claimById(guest, shop.bought().transactionId, { 'X-Request-Id': `of-${guest.id}` }),
    );
    assert.ok((await Promise.all(claims)).every(({ status }) => status === 200));
    const bought = kept.lines('purchase_completed').filter(({ user_id }) => guests.some(({ id }) => id === user_id));
    assert.equal(bought.length, guests.length);
    for (const { request_id, user_id } of bought) assert.equal(request_id, `of-${user_id}`);
  });
});
