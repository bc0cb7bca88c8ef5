/** What every video provider guarantees. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, type TestContext, test } from 'node:test';
import type {
  GenerationRequest,
  ProviderStatus,
  SubmitOutcome,
  VideoProvider,
  VideoSource,
} from '../../src/providers/provider.ts';

export type ProviderBench = {
  provider: VideoProvider;
  /** The same provider as another process with the same folder or account creates it. */
  another(): VideoProvider;
  /** An ordinary generation, as cheap as possible. */
  request: Omit<GenerationRequest, 'jobId' | 'prompt'>;
  /** A prompt that the provider declines, now or later. */
  declined: string;
  /** Advances the provider's clock a little. */
  tick(): Promise<void>;
  read(source: VideoSource): Promise<Uint8Array>;
  /** Everything that was logged so far. */
  logged(): string;
  /** The key it was given, if any. */
  secret: string | null;
};

const PROMPT = 'A lighthouse keeper feeds an unusual owl';
const POLLS_MAX = 2_000;

type Found<S extends ProviderStatus['state']> = Extract<ProviderStatus, { state: S }>;

type MakeBench = (t: TestContext) => Promise<ProviderBench>;
type Open = (t: TestContext) => ReturnType<typeof openBench>;

export function providerConformance(name: string, makeBench: MakeBench): void {
  const open: Open = (t) => openBench(t, makeBench);
  suite(`${name} as a provider`, () => {
    testsOfJobs(open);
    testsOfRepeats(open);
  });
}

async function openBench(t: TestContext, makeBench: MakeBench) {
  const made = await makeBench(t);
  const { provider } = made;
  const signal = AbortSignal.timeout(60_000);
  const newRequest = (prompt = PROMPT): GenerationRequest => ({ ...made.request, jobId: randomUUID(), prompt });
  const submit = async (request: GenerationRequest) => idOf(await provider.submit(request, signal));
  const fetchStatus = (request: GenerationRequest, id: string) => provider.status(request, id, signal);
  /** Polls until the job has that state; returns every status. */
  async function pollUntil<S extends ProviderStatus['state']>(state: S, request: GenerationRequest, id: string) {
    const seen: ProviderStatus[] = [];
    for (let polls = 0; polls < POLLS_MAX; polls += 1) {
      const status = await fetchStatus(request, id);
      seen.push(status);
      if (isIn(state, status)) return { seen, status };
      assert.ok(status.state === 'queued' || status.state === 'processing', JSON.stringify(status));
      await made.tick();
    }
    throw new Error(`the job was never ${state}: ${JSON.stringify(seen.at(-1))}`);
  }
  return { ...made, signal, newRequest, submit, fetchStatus, pollUntil };
}

function testsOfJobs(bench: Open): void {
  test('an accepted job advances without a step back, and ends with a video that another process can read', async (t) => {
    const { provider, newRequest, submit, fetchStatus, pollUntil, read, another, signal } = await bench(t);
    const request = newRequest();
    const id = await submit(request);
    assert.match(id, /\S/);
    const { seen, status } = await pollUntil('completed', request, id);
    const order = { queued: 0, processing: 1, completed: 2 } as Record<string, number>;
    const steps = seen.map(({ state }) => order[state] ?? -1);
    assert.deepEqual(steps, [...steps].sort(), 'no step back');
    for (const step of seen) {
      if (step.state === 'queued') assert.ok(step.queuePosition === null || step.queuePosition >= 1);
      if (step.state === 'processing' && step.progress !== null) {
        assert.ok(Number.isInteger(step.progress) && step.progress >= 0 && step.progress <= 100);
      }
    }
    assert.equal(
      Buffer.from(await read(status.video))
        .subarray(4, 8)
        .toString(),
      'ftyp',
    );
    assert.deepEqual(await fetchStatus(request, id), status, 'another request changes nothing');
    if (status.video.from === 'url') assert.ok(isAmong(provider.mediaHosts, status.video.url), status.video.url);

    await provider.close();
    assert.deepEqual(await another().status(request, id, signal), status, 'another process gets the same status');
  });

  test('a declined job has a code and a cause; neither the prompt nor the key is in the cause or in the log', async (t) => {
    const { provider, newRequest, pollUntil, declined, signal, logged, secret } = await bench(t);
    const request = newRequest(`${PROMPT} ${declined}`);
    const answer = await provider.submit(request, signal);
    const ending = answer.outcome === 'declined' ? answer : (await pollUntil('failed', request, idOf(answer))).status;
    assert.equal(ending.code, 'ERR_5003');
    assert.match(ending.cause, /\S/);
    await provider.cancel(request, randomUUID(), signal);
    const written = `${ending.cause} ${logged()}`;
    for (const text of [PROMPT, PROMPT.slice(0, 14), ...(secret === null ? [] : [secret])]) {
      assert.ok(!written.includes(text), text);
    }
  });
}

function testsOfRepeats(bench: Open): void {
  test('a job that is submitted twice is one job only where submits are repeatable', async (t) => {
    const { provider, newRequest, submit } = await bench(t);
    const request = newRequest();
    const ids = new Set([await submit(request), await submit(request)]);
    assert.equal(ids.size, provider.submitIsRepeatable ? 1 : 2);
  });

  test('cancelling, releasing and closing are safe to repeat, for unknown jobs too', async (t) => {
    const { provider, newRequest, submit, fetchStatus, signal } = await bench(t);
    const request = newRequest();
    const id = await submit(request);
    for (let times = 0; times < 2; times += 1) {
      await provider.cancel(request, id, signal);
      await provider.cancel(newRequest(), randomUUID(), signal);
      await provider.cancel(request, id, AbortSignal.abort());
    }
    assert.notEqual((await fetchStatus(request, id)).state, 'completed', 'it had not started');
    await provider.release(request.jobId);
    await provider.release(request.jobId);
    await provider.close();
    await provider.close();
  });

  test('an aborted signal never makes a call throw', async (t) => {
    const { provider, newRequest, submit } = await bench(t);
    const aborted = AbortSignal.abort();
    const answer = await provider.submit(newRequest(), aborted);
    assert.ok(answer.outcome === 'retryable' || answer.outcome === 'unknown' || provider.submitIsRepeatable);
    const request = newRequest();
    const id = await submit(request);
    assert.match((await provider.status(request, id, aborted)).state, /^(?:queued|processing|unreachable)$/);
  });

  test('an unsigned webhook is rejected, or there is no verification where the provider sends none', async (t) => {
    const { provider } = await bench(t);
    const nothing = { headers: new Headers(), body: new Uint8Array(), receivedAt: new Date(0) };
    const verdict = await provider.verifyWebhook?.(nothing);
    assert.ok(verdict === undefined || !verdict.ok);
  });
}

function idOf(answer: SubmitOutcome): string {
  if (answer.outcome !== 'accepted') throw new Error(`${answer.outcome}: ${answer.cause}`);
  return answer.providerJobId;
}

function isIn<S extends ProviderStatus['state']>(state: S, status: ProviderStatus): status is Found<S> {
  return status.state === state;
}

function isAmong(hosts: readonly string[], url: string): boolean {
  const { hostname } = new URL(url);
  return hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host));
}
