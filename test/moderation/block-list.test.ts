import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readConfig } from '../../src/app/config.ts';
import { createBlockList } from '../../src/moderation/block-list.ts';

const { signal } = new AbortController();
const judgedBy = (lines: string[]) => {
  const list = createBlockList(lines);
  return async (prompt: string) => (await list.judge(prompt, signal)) === 'blocked';
};

describe('a block list', () => {
  const isBlocked = judgedBy([
    'bomb',
    'Straße',
    'kill switch',
    'sınır',
    'бомба',
    '爆弾',
    'terror*',
    'ass',
    'anal',
    'पत्थर',
    'قنبلة',
  ]);

  it('blocks a word however it is typed', async () => {
    const typed = [
      ...[
        'bomb',
        'BOMB!',
        'a Bomb, please',
        'bömb',
        'b\u200bo\u200dm\u2060b',
        'b\u00adomb',
        'ｂｏｍｂ',
        '𝖇𝖔𝖒𝖇',
        'ⓑⓞⓜⓑ',
      ],
      ...[
        'b0mb',
        'b o m b',
        'b.o.m.b',
        'b-o-m-b',
        'bo_mb',
        'b\no\tm b',
        'b\u3164omb',
        'b\u0000omb',
        'вomb',
        'bоmb',
        'b\ufe0fomb',
      ],
      ...[
        'strasse',
        'STRASSE',
        'straẞe',
        'kill switch',
        'kill  switch',
        'killswitch',
        'k1ll-switch',
        'KİLL SWİTCH',
        'kıll swıtch',
      ],
      ...[
        'SINIR',
        'sinir',
        'БОМБА',
        'б о м б а',
        '大きな爆弾です',
        '爆 弾',
        'terrorism',
        'bomb1',
        '2bomb',
        'bomb_2',
        't3rr0r1st',
        'पत्थर फेंको',
        'قُنبُلة',
      ],
    ];
    for (const prompt of typed) assert.ok(await isBlocked(prompt), JSON.stringify(prompt));
  });

  it('blocks no other word that contains it, and no two that meet by chance', async () => {
    const fine = [
      ...[
        'bombastic',
        'a rhombomb shape',
        'abomb',
        'class',
        'assassin',
        'the bass',
        'analysis of canals',
        'an Al Pacino film',
      ],
      ...[
        'as s is a letter',
        'kill the switch',
        'switch kill',
        'a counterror',
        '爆発',
        'पथ',
        'bom',
        'b',
        '',
        ' ',
        '🎹🐈',
        '\ud800',
      ],
    ];
    for (const prompt of fine) assert.equal(await isBlocked(prompt), false, JSON.stringify(prompt));
  });

  it('of no words blocks nothing', async () => {
    assert.equal(await judgedBy([])('bomb'), false);
    assert.equal(await judgedBy(['…', '*'])('bomb … *'), false);
  });

  it('takes bounded time for the worst prompts and lists', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => `a${n.toString(36)}b`.repeat(3));
    const judge = judgedBy([...many, `${'a'.repeat(98)}b`, `${'a '.repeat(49)}b`, 'x*']);
    const worst = [
      'a '.repeat(5_000),
      'a'.repeat(10_000),
      'a\u200b'.repeat(5_000),
      '\u0301'.repeat(10_000),
      '\ufdfa'.repeat(10_000),
      '0'.repeat(10_000),
    ];
    const began = performance.now();
    for (const prompt of worst) assert.equal(await judge(prompt), false);
    const each = (performance.now() - began) / worst.length;
    assert.ok(each < 400, `${each} ms for a prompt`);
  });
});

describe('PROMPT_BLOCKLIST_FILE', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-blocklist-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'blocklist.txt');
  const read = async (text: string | Uint8Array) => {
    await writeFile(path, text);
    return (await readConfig({ PROMPT_BLOCKLIST_FILE: path })).settings.promptBlocklist;
  };

  it('has a word or a phrase on each line, and comments', async () => {
    const text = '\ufeff# ours\r\nbomb\r\n\r\n  kill switch  # both words\nc#\n';
    assert.deepEqual(await read(text), ['bomb', 'kill switch', 'c#']);
    assert.deepEqual((await readConfig({})).settings.promptBlocklist, []);
  });

  it('that cannot be used is named at the start, with the line and without its words', async () => {
    const faults: [string | Uint8Array, RegExp][] = [
      ['bomb\n***\n', /PROMPT_BLOCKLIST_FILE cannot be used: line 2 has no letter/],
      [`bomb\n\n${'secret'.repeat(20)}\n`, /line 3 is longer than 100 letters/],
      [Uint8Array.of(0xff, 0xfe, 0x62), /is not UTF-8 text/],
      ['a\n'.repeat(20_001), /more than 20000 lines/],
      ['a'.repeat(2_000_001), /larger than 2000000 bytes/],
    ];
    for (const [text, problem] of faults)
      await assert.rejects(read(text), (error) => problem.test(String(error)) && !String(error).includes('secret'));
    for (const missing of [join(folder, 'missing.txt'), folder])
      await assert.rejects(readConfig({ PROMPT_BLOCKLIST_FILE: missing }), /PROMPT_BLOCKLIST_FILE cannot be read/);
  });
});
