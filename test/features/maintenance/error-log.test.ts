/** The buffer in front of the error log: what it holds, what it drops, and that nobody waits for it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Context } from '../../../src/features/context.ts';
import { createErrorLog } from '../../../src/features/maintenance/error-log.ts';
import type { FailedRequest } from '../../../src/kernel/error-log.ts';
import { recordingLog } from '../../http/harness.ts';

type Entry = { entry_id: string; error_code: string; endpoint: string; error_details: Record<string, unknown> };

/** `call` decides how each statement ends. */
function bufferOn(call: (entries: Entry[]) => Promise<unknown> = async () => 0) {
  const [log, time] = [recordingLog(), { now: new Date('2026-11-30T09:00:00Z') }];
  const stored: Entry[][] = [];
  const db = {
    async call(_name: string, { entries }: { entries: Entry[] }) {
      await call(entries);
      stored.push(entries);
    },
  };
  const ctx = {
    db,
    log,
    clock: { now: () => time.now },
    newUuid: randomUUID,
    stopping: new AbortController().signal,
  } as unknown as Context;
  return { errors: createErrorLog(ctx), log, time, stored, rows: () => stored.flat() };
}

const failure = (more: Partial<FailedRequest> = {}): FailedRequest => ({
  code: 'ERR_6003',
  status: 500,
  method: 'GET',
  endpoint: '/functions/v1/get-models',
  userId: null,
  requestId: randomUUID(),
  causes: [{ name: 'TypeError' }],
  ...more,
});

const outage = () => Promise.reject(Object.assign(new Error('x'), { code: '57P01' }));

describe('the error log of a process', () => {
  it('stores what it was given, once each, in batches', async () => {
    const { errors, rows, stored } = bufferOn();
    const endpoints = Array.from({ length: 250 }, (_, index) => `/path/${index}`);
    for (const endpoint of endpoints) errors.add(failure({ endpoint }));
    assert.equal(stored.length, 0, 'adding does not store');
    await errors.drain();
    assert.deepEqual(
      rows().map(({ endpoint }) => endpoint),
      endpoints,
    );
    assert.equal(new Set(rows().map(({ entry_id }) => entry_id)).size, 250);
    assert.equal(stored.length, 3);
  });

  it('keeps 50 equal failures of a minute and the number of the others; different ones are not counted with them', async () => {
    const { errors, rows, time } = bufferOn();
    for (let count = 0; count < 500; count += 1) errors.add(failure());
    errors.add(failure({ code: 'ERR_6001' }));
    time.now = new Date('2026-11-30T09:01:00Z');
    errors.add(failure());
    await errors.drain();
    const equal = rows().filter(({ error_code: code }) => code === 'ERR_6003');
    assert.equal(equal.filter(({ error_details: { request_id: id } }) => id !== undefined).length, 51);
    const more = equal.filter(({ error_details: details }) => 'more' in details);
    assert.deepEqual(
      more.map(({ error_details: details }) => details),
      [{ more: 450, minute: '2026-11-30T09:00:00.000Z' }],
    );
    assert.equal(rows().length, 53);
  });

  it('stores them by itself, and the number of the others once their minute is over', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { errors, rows } = bufferOn();
      for (let count = 0; count < 60; count += 1) errors.add(failure());
      mock.timers.tick(500);
      await turn();
      assert.equal(rows().length, 50);
      mock.timers.tick(60_000);
      await turn();
      mock.timers.tick(0);
      await turn();
      assert.deepEqual(rows().at(-1)?.error_details.more, 10);
    } finally {
      mock.timers.reset();
    }
  });

  it('keeps a thousand while the database is away, counts what it drops, and stores the rest under the same ids', async () => {
    let isAway = true;
    const tried: Entry[] = [];
    const { errors, rows, log } = bufferOn(async (entries) => {
      tried.push(...entries);
      if (isAway) await outage();
    });
    for (let count = 0; count < 1_200; count += 1) errors.add(failure({ endpoint: `/path/${count}` }));
    await errors.drain();
    assert.equal(rows().length, 0);
    assert.deepEqual(log.lines, [
      { level: 'warn', fields: { dropped: 200 }, message: 'failed requests were not recorded' },
    ]);
    isAway = false;
    await errors.drain();
    assert.equal(rows().length, 1_000);
    assert.deepEqual(
      rows()
        .map(({ entry_id }) => entry_id)
        .slice(0, 100),
      tried.slice(0, 100).map(({ entry_id }) => entry_id),
    );
  });

  it('drops a batch that the database refuses, and goes on with the next', async () => {
    let refused = 0;
    const { errors, rows, log } = bufferOn(async () => {
      refused += 1;
      if (refused === 1) throw Object.assign(new Error('a value'), { code: '23514' });
    });
    for (let count = 0; count < 150; count += 1) errors.add(failure({ endpoint: `/path/${count}` }));
    await errors.drain();
    assert.equal(rows().length, 50);
    assert.deepEqual(log.lines[0]?.fields, { code: '23514', dropped: 100 });
  });
});
