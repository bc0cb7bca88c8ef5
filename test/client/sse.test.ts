import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSseParser } from '../../client/src/events/sse.ts';

/** A stream with everything that the standard allows; EXPECTED holds its events. */
const STREAM = [
  '\uFEFF: a comment first',
  'retry: 3000',
  '',
  'id: 1',
  'event: credits',
  'data: {"credits_remaining":9}',
  '',
  'data: two',
  'data:lines',
  'data',
  '',
  ': alive',
  'id: 7',
  '',
  'event: nothing without data',
  '',
  'id: no\0position',
  'event: queued',
  'data:  ş🎬',
  '',
  'id',
  'data: the position is reset',
  '',
  'data: cut off',
];
const EXPECTED = [
  [null, ''],
  [{ type: 'credits', data: '{"credits_remaining":9}' }, '1'],
  [{ type: 'message', data: 'two\nlines\n' }, '1'],
  [null, '7'],
  [null, '7'],
  [{ type: 'queued', data: ' ş🎬' }, '7'],
  [{ type: 'message', data: 'the position is reset' }, ''],
];

test('a stream parses alike with any line ends, cut into any pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('\n', '\r', '\r\n'), { minLength: STREAM.length, maxLength: STREAM.length }),
      fc.array(fc.nat(300), { maxLength: 40 }),
      (ends, cuts) => {
        // An empty line has the same line end as the line before it: \r and \n in a row would be one line end.
        const text = STREAM.map((line, index) => line + ends[line === '' ? index - 1 : index]).join('');
        const parser = createSseParser();
        const positions = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const blocks = positions.flatMap((from, index) =>
          parser.push(text.slice(from, positions[index + 1] ?? text.length)),
        );
        assert.deepEqual(
          blocks.map(({ event, lastEventId }) => [event, lastEventId]),
          EXPECTED,
        );
      },
    ),
  );
});

test('a resumed stream starts with its last event id', () => {
  const [block] = createSseParser('41').push('data: x\n\n');
  assert.equal(block?.lastEventId, '41');
});
