/** What every video provider promises the features, whatever is behind it. */
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
  /** The same provider as another process over the same place would have it. */
  another(): VideoProvider;
  /** An ordinary generation, as cheap as can be. */
  request: Omit<GenerationRequest, 'jobId' | 'prompt'>;
  /** A prompt that the provider declines, now or later. */
  declined: string;
  /** Lets some of the provider's time pass. */
  tick(): Promise<void>;
  read(source: VideoSource): Promise<Uint8Array>;
  /** Everything that was logged so far. */
  logged(): string;
  /** The key it was given, if any. */
  secret: string | null;
};

const PROMPT = 'A lighthouse keeper feeds an unusual owl';
const LOOKS_MAX = 2_000;

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
  const take = async (request: GenerationRequest) => idOf(await provider.submit(request, signal));
  const look = (request: GenerationRequest, id: string) => provider.status(request, id, signal);
  /** Every status until one of that state. */
  async function reach<S extends ProviderStatus['state']>(state: S, request: GenerationRequest, id: string) {
    const seen: ProviderStatus[] = [];
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const status = await look(request, id);
      seen.push(status);
      if (isIn(state, status)) return { seen, status };
      assert.ok(status.state === 'queued' || status.state === 'processing', JSON.stringify(status));
      await made.tick();
    }
    throw new Error(`the job was never ${state}: ${JSON.stringify(seen.at(-1))}`);
  }
  return { ...made, signal, newRequest, take, look, reach };
}

function testsOfJobs(bench: Open): void {
  test('a job that is taken goes its way without a step back, and ends as a film that outlives the process', async (t) => {
    const { provider, newRequest, take, look, reach, read, another, signal } = await bench(t);
    const request = newRequest();
    const id = await take(request);
    assert.match(id, /\S/);
    const { seen, status } = await reach('completed', request, id);
    const order = { queued: 0, processing: 1, completed: 2 } as Record<string, number>;
    const places = seen.map(({ state }) => order[state] ?? -1);
    assert.deepEqual(places, [...places].sort(), 'no step back');
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
    assert.deepEqual(await look(request, id), status, 'asking again changes nothing');
    if (status.video.from === 'url') assert.ok(isAmong(provider.mediaHosts, status.video.url), status.video.url);

    await provider.close();
    assert.deepEqual(await another().status(request, id, signal), status, 'another process knows it too');
  });

  test('what the provider declines has a code and a cause, and no prompt or key is in its words or in the log', async (t) => {
    const { provider, newRequest, reach, declined, signal, logged, secret } = await bench(t);
    const request = newRequest(`${PROMPT} ${declined}`);
    const answer = await provider.submit(request, signal);
    const ending = answer.outcome === 'declined' ? answer : (await reach('failed', request, idOf(answer))).status;
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
  test('the same job sent twice is one job where that is promised; else nobody promises it', async (t) => {
    const { provider, newRequest, take } = await bench(t);
    const request = newRequest();
    const ids = new Set([await take(request), await take(request)]);
    assert.equal(ids.size, provider.submitIsRepeatable ? 1 : 2);
  });

  test('cancelling, releasing and closing are safe to repeat, for unknown jobs too', async (t) => {
    const { provider, newRequest, take, look, signal } = await bench(t);
    const request = newRequest();
    const id = await take(request);
    for (let times = 0; times < 2; times += 1) {
      await provider.cancel(request, id, signal);
      await provider.cancel(newRequest(), randomUUID(), signal);
      await provider.cancel(request, id, AbortSignal.abort());
    }
    assert.notEqual((await look(request, id)).state, 'completed', 'it had not begun');
    await provider.release(request.jobId);
    await provider.release(request.jobId);
    await provider.close();
    await provider.close();
  });

  test('no signal makes an answer an exception', async (t) => {
    const { provider, newRequest, take } = await bench(t);
    const gone = AbortSignal.abort();
    const answer = await provider.submit(newRequest(), gone);
    assert.ok(answer.outcome === 'retryable' || answer.outcome === 'unknown' || provider.submitIsRepeatable);
    const request = newRequest();
    const id = await take(request);
    assert.match((await provider.status(request, id, gone)).state, /^(?:queued|processing|unreachable)$/);
  });

  test('what it sends no webhooks for cannot be verified; what it sends is told from what it did not', async (t) => {
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
