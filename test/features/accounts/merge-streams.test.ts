import assert from 'node:assert/strict';
import { after, describe, it, type TestContext } from 'node:test';
import { until } from '../../media/until.ts';
import { createPeople, newSub } from '../../support/people.ts';

const people = await createPeople();
const { app } = people;
after(() => app[Symbol.asyncDispose]());

type Event = { id: number; event: string; data: Record<string, unknown> };

async function open(t: TestContext, token: string, lastId?: number) {
  const response = await app.fetch('/functions/v1/job-events', {
    headers: { Authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'Last-Event-ID': String(lastId) }) },
  });
  assert.equal(response.status, 200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(reader);
  t.after(() => reader.cancel());
  const stream: { text: string; events: Event[]; isEnded: boolean } = { text: '', events: [], isEnded: false };
  (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      stream.text += read.value;
      stream.events = [...stream.text.matchAll(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/gm)].map(
        ([, id, event, data]) => ({
          id: Number(id),
          event: event ?? '',
          data: JSON.parse(data ?? '{}'),
        }),
      );
    }
    stream.isEnded = true;
  })();
  return stream;
}

describe('the event streams of a guest that is merged', () => {
  it('end at the merge, and miss nothing when they resume; the survivor’s go on, and are told', async (t) => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub, 5), await people.guest(7)];
    const [theirs, own] = [await open(t, survivor.token), await open(t, guest.token)];
    const jobId = await app.generate(guest.id);
    await until(() => own.events.some(({ event }) => event === 'queued'));
    const lastId = own.events.at(-1)?.id;
    // What the guest's stream was not sent before it ended.
    await app.owner.query(
      `insert into user_events (user_id, type, job_id, data) values ($1, 'processing', $2, '{"progress": 1}')`,
      [guest.id, jobId],
    );
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    await until(() => own.isEnded);
    await app.drain();

    const resumed = await open(t, guest.token, lastId);
    const isDone = ({ event, data }: Event) => event === 'completed' && data.job_id === jobId;
    await until(() => resumed.events.some(isDone));
    assert.ok(!own.events.some(isDone));
    assert.equal(resumed.events.filter(({ event, data }) => event === 'processing' && data.progress === 1).length, 1);
    // One balance after the merge: never the guest's zero.
    const balances = resumed.events
      .filter(({ event }) => event === 'credits')
      .map(({ data }) => data.credits_remaining);
    assert.deepEqual(balances, [11]);
    await until(() => theirs.events.some(isDone));
    assert.ok(theirs.events.some(({ event, data }) => event === 'credits' && data.reason === 'account_merge'));
    assert.equal(theirs.isEnded, false);
  });
});
