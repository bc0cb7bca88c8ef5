/** Traces: one from the call through the queue, the provider, its webhook and the delivery; nothing at all where they are off. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { readConfig } from '../../src/app/config.ts';
import { tracingSettings } from '../../src/entry/tracing/settings.ts';
import { startTracing, type Tracing } from '../../src/entry/tracing/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { VideoProvider } from '../../src/providers/provider.ts';
import { keepLog } from '../support/log-lines.ts';
import { type OtlpReceiver, openOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { createPeople, type People } from '../support/people.ts';

const settingsFor = async (env: Record<string, string>) => tracingSettings(await readConfig(env), env);

describe('without an endpoint, or switched off', () => {
  it('nothing of OpenTelemetry is loaded', async () => {
    const loaded: string[] = [];
    const hooks = registerHooks({
      resolve(specifier, context, next) {
        loaded.push(specifier);
        return next(specifier, context);
      },
    });
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    for (const env of [
      {},
      { ...endpoint, OTEL_SDK_DISABLED: 'true' },
      { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
      { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' },
    ]) {
      const { tracer, close } = await startTracing(await settingsFor(env), '1', silentLog);
      assert.equal(tracer.isOn, false);
      assert.equal(await tracer.span('x', {}, async () => tracer.traceParent()), null);
      await close();
    }
    hooks.deregister();
    assert.deepEqual(
      loaded.filter((specifier) => specifier.includes('opentelemetry')),
      [],
    );
  });

  it('only the folder of tracing names it, and loads it late', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const naming = sources.filter((file) => readFileSync(`src/${file}`, 'utf8').includes('@opentelemetry/'));
    assert.deepEqual(naming.sort(), ['entry/tracing/sampler.ts', 'entry/tracing/start.ts', 'entry/tracing/tracer.ts']);
    assert.doesNotMatch(
      readFileSync('src/entry/tracing/start.ts', 'utf8'),
      /^import .*(?:@opentelemetry|\.\/tracer|sampler)/m,
    );
  });
});

describe('OpenTelemetry’s variables', () => {
  it('say where, how and how much is traced', async () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    const plain = await settingsFor(base);
    assert.equal(plain?.url, 'http://collector:4318/v1/traces');
    assert.deepEqual(
      [plain?.protocol, plain?.serviceName, plain?.sampler.name],
      ['http/protobuf', 'rendio', 'parentbased_always_on'],
    );
    const full = await settingsFor({
      ...base,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/x?y=1',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=b',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: ' x-key = a%20b=c ,y=,100=100%',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'videos',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    assert.equal(full?.url, 'https://traces.example/x?y=1');
    assert.deepEqual(full?.headers, { 'x-key': 'a b=c', y: '', '100': '100%' });
    assert.deepEqual([full?.protocol, full?.serviceName], ['http/json', 'videos']);
    assert.deepEqual(full?.sampler, { name: 'traceidratio', argument: 0.25 });
  });

  it('that cannot be used are named at the start', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER_ARG: '2',
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
    };
    await assert.rejects(readConfig(env), (error: Error) =>
      Object.keys(env).every((name) => error.message.includes(`${name} must`)),
    );
  });
});

describe('a generation that is traced', () => {
  let receiver: OtlpReceiver;
  let tracing: Tracing;
  let people: People;
  const kept = keepLog('info');
  before(async () => {
    receiver = await openOtlpReceiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    tracing = await startTracing(await settingsFor({ ...env, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k' }), '1', kept.log);
    people = await createPeople({ log: kept.log, overrides: { tracer: tracing.tracer } });
  });
  after(async () => {
    await people[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it('is one trace from the caller’s own span through queue, provider, webhook and delivery', async () => {
    const { app } = people;
    const guest = await people.guest();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const [model] = await people.rows(`select id from models where name = 'Sandbox'`);
    const begun = await people.call(
      guest.token,
      'generate-video',
      { model_id: model?.id, prompt: 'a private heron' },
      { 'Idempotency-Key': crypto.randomUUID(), traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    assert.equal(begun.status, 200);
    const jobId = begun.body.job_id;
    app.vendor.script({ status: [{ state: 'processing', progress: 1 }, 'complete'] });
    await sendWebhook(people, jobId);
    assert.deepEqual(await app.drain(), []);
    assert.equal((await app.job(jobId)).status, 'completed');
    await people.call(guest.token, 'get-user-credits', undefined, {
      traceparent: `ff-${traceId}-00f067aa0ba902b7-01`,
    });
    await tracing.close();

    const spans = receiver.spans();
    const ofTrace = spans.filter((span) => span.traceId === traceId);
    const server = only(ofTrace, 'POST /functions/v1/generate-video');
    assert.equal(server.parentSpanId, '00f067aa0ba902b7');
    assert.equal(server.attributes['http.response.status_code'] !== undefined, true);
    for (const name of ['submit_generation', 'poll_generation', 'webhook'])
      assert.ok(
        named(ofTrace, name).every(({ parentSpanId }) => parentSpanId === server.spanId),
        name,
      );
    assert.equal(only(ofTrace, 'sandbox submit').parentSpanId, only(ofTrace, 'submit_generation').spanId);
    const polls = named(ofTrace, 'poll_generation').map(({ spanId }) => spanId);
    assert.ok(polls.includes(only(ofTrace, 'deliver').parentSpanId ?? ''));
    assert.equal(only(ofTrace, 'webhook').attributes['rendio.job_id'], jobId);
    const other = only(spans, 'GET /functions/v1/get-user-credits');
    assert.ok(other.parentSpanId === null && other.traceId !== traceId, 'a malformed traceparent begins a new trace');
    assert.equal(receiver.requests[0]?.headers['x-key'], 'k');
    assert.equal(receiver.resource()['service.name'], 'rendio');
    assert.ok(!JSON.stringify(receiver.requests.map(({ body }) => body.toString())).includes('heron'));
    const [completed] = kept.lines('video_generation_completed');
    assert.equal(completed?.trace_id, traceId, 'a line of the worker names the trace');
  });
});

describe('a collector', () => {
  const generate = async (env: Record<string, string>, work: (tracing: Tracing) => Promise<void>) => {
    const kept = keepLog('info');
    const tracing = await startTracing(await settingsFor({ OTEL_BSP_SCHEDULE_DELAY: '10', ...env }), '1', kept.log);
    await work(tracing);
    const began = performance.now();
    await tracing.close();
    return { kept, closedMs: performance.now() - began };
  };

  it('that is not there, refuses or never answers costs the work no time, and one line', async () => {
    await using refusing = await openOtlpReceiver();
    refusing.answer = (response) => response.writeHead(400).end();
    await using silent = await openOtlpReceiver();
    silent.answer = () => {};
    for (const url of ['http://127.0.0.1:9', refusing.url, silent.url]) {
      const { kept, closedMs } = await generate({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, async ({ tracer }) => {
        for (let span = 0; span < 100; span += 1) assert.equal(await tracer.span('x', {}, async () => span), span);
      });
      assert.ok(closedMs < 4_000, `${url}: ${closedMs} ms`);
      assert.ok(kept.lines().length <= 1, kept.text());
      assert.ok(!kept.text().includes('127.0.0.1'), 'the URL may hold a secret');
    }
  });

  it('gets protobuf by default, with failed work marked by a code', async () => {
    await using receiver = await openOtlpReceiver();
    await generate({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, async ({ tracer }) => {
      const failing = tracer.span('fails', {}, async () => {
        throw Object.assign(new Error('a secret message'), { code: 'E_CODE' });
      });
      await assert.rejects(failing);
    });
    const [request] = receiver.requests;
    assert.equal(request?.headers['content-type'], 'application/x-protobuf');
    assert.equal(request?.path, '/v1/traces');
    const text = request?.body.toString('latin1') ?? '';
    assert.ok(text.includes('fails') && text.includes('E_CODE') && !text.includes('secret'));
  });

  it('gets what the sampler keeps: of a caller that does not sample, nothing', async () => {
    await using receiver = await openOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    const parent = (flags: string) => `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`;
    await generate(env, async ({ tracer }) => {
      await tracer.span('unsampled', { parent: parent('00') }, async () => {
        assert.match(tracer.traceParent() ?? '', /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
      });
      await tracer.span('sampled', { parent: parent('01') }, async () => {});
    });
    await generate({ ...env, OTEL_TRACES_SAMPLER: 'always_off' }, ({ tracer }) =>
      tracer.span('off', {}, async () => {}),
    );
    assert.deepEqual(
      receiver.spans().map(({ name }) => name),
      ['sampled'],
    );
  });
});

function named(spans: ReceivedSpan[], name: string): ReceivedSpan[] {
  const found = spans.filter((span) => span.name === name);
  assert.ok(found.length > 0, `${name} among ${spans.map((span) => span.name).join(', ')}`);
  return found;
}

function only(spans: ReceivedSpan[], name: string): ReceivedSpan {
  const [found, ...others] = named(spans, name);
  assert.equal(others.length, 0, name);
  assert.ok(found);
  return found;
}

/** As the vendor of a job would: the verb itself, because the scripted vendor signs nothing. */
async function sendWebhook({ app }: People, jobId: string): Promise<void> {
  const { recordWebhook } = await import('../../src/features/generations/webhook.ts');
  const provider: VideoProvider['name'] = 'sandbox';
  const delivery = { headers: new Headers(), body: new TextEncoder().encode(jobId), receivedAt: new Date() };
  const event = { sender: 'fal', eventId: null, providers: [provider], providerJobId: null };
  await recordWebhook(app.ctx, { ...delivery, sender: 'fal', jobId }, event);
}
