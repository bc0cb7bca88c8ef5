import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { generateMigrations } from '../../scripts/supabase-migrations.ts';

const TODAY = new Date('2026-11-23T12:00:00Z');
const LATER = new Date('2027-01-02T12:00:00Z');

/** A copy of `db/`, and a folder that was generated from it with the date TODAY. */
async function createProject(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'rendio-migrations-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [db, folder] = [join(root, 'db'), join(root, 'migrations')];
  await cp(join(import.meta.dirname, '..', '..', 'db'), db, { recursive: true });
  await mkdir(folder);
  const generate = async (today = LATER): Promise<string[]> => {
    const made = await generateMigrations({ db, folder, today });
    for (const { file, text } of made) await writeFile(file, text ?? '');
    return made.map(({ file }) => file.slice(folder.length + 1));
  };
  const first = await generate(TODAY);
  return { db, folder, generate, first };
}

describe('the migrations for Supabase', () => {
  it('are one file for each structure, one for the queue and one for the behaviour, in the order of their application', async (t) => {
    const { first, folder, generate } = await createProject(t);
    assert.equal(first[0], '20261123000001_0001_foundation.sql');
    assert.deepEqual(
      first.slice(-2).map((name) => name.replace(/^\d+_/, '')),
      ['queue.sql', 'behaviour.sql'],
    );
    assert.deepEqual(await readdir(folder), [...first].sort());
    assert.deepEqual(await generate(), [], 'a second run adds no file');
  });

  it('have a changed procedure in a new file, with all grants and nothing else', async (t) => {
    const { db, folder, first, generate } = await createProject(t);
    await appendFile(join(db, 'procedures/notifications/emit_event.sql'), '-- a first change\n');
    assert.deepEqual(await generate(), ['20270102000001_behaviour.sql']);
    const text = await readFile(join(folder, '20270102000001_behaviour.sql'), 'utf8');
    const sources = [...text.matchAll(/^-- source: (\S+)/gm)].map(([, name]) => name);
    assert.deepEqual(sources, [
      'procedures/notifications/emit_event.sql',
      'grants-queue.sql',
      'grants-hosted.sql',
      'grants-policies.sql',
      'grants.sql',
    ]);
    assert.ok(text.includes('-- a first change'));
    assert.deepEqual(await generate(TODAY), []);
    await appendFile(join(db, 'procedures/notifications/emit_event.sql'), '-- a second change\n');
    assert.deepEqual(await generate(TODAY), ['20270102000002_behaviour.sql'], 'never before an existing file');
    assert.ok(first.every((name) => name < '20270102'));
  });

  it('have a new structure before the behaviour that needs it', async (t) => {
    const { db, generate } = await createProject(t);
    await writeFile(join(db, 'migrations/9999_more.sql'), 'create table public.more (id int);\n');
    await appendFile(join(db, 'procedures/notifications/emit_event.sql'), '-- uses it\n');
    assert.deepEqual(await generate(), ['20270102000001_9999_more.sql', '20270102000002_behaviour.sql']);
  });

  it('are not generated when a structure has changed or a generated file was edited', async (t) => {
    const edited = await createProject(t);
    const name = edited.first.at(-1) ?? '';
    const text = await readFile(join(edited.folder, name), 'utf8');
    await writeFile(join(edited.folder, name), text.replace('returns void', 'returns integer'));
    await assert.rejects(edited.generate(), /behaviour\.sql no longer holds procedures/);
    const changed = await createProject(t);
    await appendFile(join(changed.db, 'migrations/0001_foundation.sql'), '-- a later change\n');
    await assert.rejects(changed.generate(), /0001_foundation\.sql has changed/);
  });
});
