/** The last net of the log: what is private by its form leaves no process, whatever field it is in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pg from 'pg';
import { keepLog } from '../support/log-lines.ts';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl';

describe('a log line', () => {
  const cases: [name: string, text: string, shown: string][] = [
    ['an access token', `refused ${TOKEN} here`, 'refused [token] here'],
    ['a bearer token of another form', 'Authorization: Bearer abc.def-1', 'Authorization: Bearer [token]'],
    ['an e-mail address', 'no account of ada.l+x@mail.example.co.uk!', 'no account of [email]!'],
    [
      'the query of a URL',
      'GET https://cdn.example.com/v.mp4?sig=s3cret&e=1 failed',
      'GET https://cdn.example.com/v.mp4 failed',
    ],
    ['the user of a URL', 'postgres://owner:pass@db.example.com/x', 'postgres://db.example.com/x'],
    ['the fragment of a URL', 'at https://a.example/#access_token=1', 'at https://a.example/'],
  ];
  for (const [name, text, shown] of cases) {
    it(`has not ${name}, in a field, in a list and in an error’s message`, () => {
      const kept = keepLog();
      kept.log.warn({ cause: text, deep: { list: [text] }, failed: new Error(text) }, 'x');
      const [line] = kept.lines();
      assert.equal(line?.cause, shown);
      assert.deepEqual(line?.deep, { list: [shown] });
      assert.equal(Object(line?.failed).message, shown);
    });
  }

  it('has of an error of PostgreSQL its code and names, and no value', () => {
    const kept = keepLog();
    const error = Object.assign(new pg.DatabaseError('duplicate of planted-value', 1, 'error'), {
      severity: 'ERROR',
      code: '23505',
      detail: 'Key (device_id)=(planted-value) already exists.',
      where: 'planted-value',
      hint: 'planted-value',
      constraint: 'users_device_id_key',
    });
    kept.log.error({ err: error, error, wrapped: new Error('failed', { cause: error }) }, 'x');
    assert.ok(!kept.text().includes('planted-value'), kept.text());
    assert.match(kept.text(), /users_device_id_key/);
  });

  it('has its time, level, environment and message, and is one line whatever a field holds', () => {
    const kept = keepLog();
    const circle: Record<string, unknown> = {
      bytes: new Uint8Array([1, 2]),
      none: null,
      date: new Date(0),
      lines: 'a\nb',
    };
    circle.self = circle;
    kept.log.info(circle, 'a message');
    assert.equal(kept.text().split('\n').length, 2);
    const [line] = kept.lines();
    assert.match(String(line?.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { level, environment, msg, bytes, none, date } = Object(line);
    assert.deepEqual(
      { level, environment, msg, bytes, none, date },
      {
        level: 'info',
        environment: 'staging',
        msg: 'a message',
        bytes: '[bytes]',
        none: null,
        date: '1970-01-01T00:00:00.000Z',
      },
    );
  });

  it('is scrubbed in time that grows with its length alone', () => {
    const kept = keepLog();
    const texts = [
      'a'.repeat(1e6),
      `${'a.'.repeat(5e5)}@`,
      `https://${'a'.repeat(1e6)}?`,
      `eyJ${'.'.repeat(1e6)}`,
      'Bearer '.repeat(2e5),
    ];
    const began = performance.now();
    for (const text of texts) kept.log.info({ text }, 'x');
    assert.ok(performance.now() - began < 1_000, 'a second for five texts of a megabyte');
    assert.ok(kept.text().length < 50_000);
  });
});
