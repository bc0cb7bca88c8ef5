/** What is shipped for those who deploy: it names what exists, holds no secret, and each promise of the checklist has its test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { examplesOf } from '../../src/app/config/variables.ts';
import { MANIFESTS } from '../../src/providers/manifests.ts';

const read = (file: string) => readFileSync(file, 'utf8');
const SUBJECTS = [
  ...[
    'onboarding',
    'credits',
    'models',
    'generation',
    'status',
    'history',
    'deletion',
    'idempotency',
    'races',
    'rollback',
  ],
  ...[
    'refund',
    'webhooks',
    'retries',
    'i18n',
    'rate limits',
    'admin',
    'Apple sign-in',
    'merge',
    'DeviceCheck',
    'purchases',
  ],
  ...['refunds', 'tokens', 'RLS', 'storage policies', 'indexes and slow statements', 'migrations', 'logs', 'metrics'],
  ...['alerts', 'backups', 'load'],
];

test('each line of the production checklist names tests that exist', () => {
  const rows = [...read('docs/production-checklist.md').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)].slice(1);
  const bySubject = new Map(
    rows.map(([, subject = '', , files = '']) => [subject, files.match(/(?:test|bench)\/[\w./-]+/g) ?? []]),
  );
  for (const subject of SUBJECTS) assert.ok(bySubject.has(subject), `no line for ${subject}`);
  for (const [subject, files] of bySubject) {
    assert.ok(
      files.some((file) => file.endsWith('.test.ts')),
      `no test for ${subject}`,
    );
    assert.deepEqual(
      files.filter((file) => !existsSync(file)),
      [],
      subject,
    );
  }
});

test('the compose file and the units set variables that the server knows, and no secret', () => {
  const known = new Set(examplesOf(MANIFESTS).keys());
  const system = ['PATH', 'NODE_ENV'];
  const units = ['deploy/systemd/rendio.service', 'deploy/systemd/rendio-worker.service'].map(read).join('\n');
  const ofUnits = [...units.matchAll(/^Environment=(.+)$/gm)].flatMap(([, line = '']) => line.split(' '));
  const ofCompose = [...read('compose.yaml').matchAll(/^ {6}([A-Z_]+): '(.*)'$/gm)].map(
    ([, name, value]) => `${name}=${value}`,
  );
  const assignments = [...ofUnits, ...ofCompose].map((text) => text.split('='));
  assert.ok(assignments.length >= 6);
  for (const [name = '', value = ''] of assignments) {
    assert.ok(known.has(name) || system.includes(name), name);
    assert.doesNotMatch(name, /KEY|SECRET|TOKEN|PASSWORD|URL/, `${name}=${value}`);
  }
});

test('a unit of systemd gives the server longer to end than it takes, and an ordinary user', () => {
  const limitMs = Number(/HARD_LIMIT_MS = ([\d_]+)/.exec(read('src/entry/shutdown.ts'))?.[1]?.replaceAll('_', ''));
  for (const file of ['deploy/systemd/rendio.service', 'deploy/systemd/rendio-worker.service']) {
    const unit = read(file);
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1_000 > limitMs, file);
    assert.match(unit, /^DynamicUser=yes$/m);
  }
  for (const [, seconds] of read('compose.yaml').matchAll(/stop_grace_period: (\d+)s/g)) {
    assert.ok(Number(seconds) * 1_000 > limitMs);
  }
});
