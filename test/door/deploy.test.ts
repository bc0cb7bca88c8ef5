/** What the real CLI sends when the functions are deployed. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { importGraph } from '../../scripts/import-graph.ts';
import { PROJECT, startManagementApi } from './support/management-api.ts';
import { supabase } from './support/project.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TOKEN = `sbp_${'0123456789abcdef'.repeat(2)}01234567`;

test('a function is deployed with every file that it imports, its import map, and without the gateway’s token check', async (t) => {
  await using api = await startManagementApi();
  const folder = await mkdtemp(join(tmpdir(), 'rendio-deploy-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // A copy, because the CLI writes files beside the configuration. A file that is missing here would be missing there.
  for (const part of ['src', 'supabase']) await cp(join(ROOT, part), join(folder, part), { recursive: true });
  const target = [`--project-ref=${PROJECT}`, '--workdir', folder, '--profile', await api.profileIn(folder)];
  const names = ['get-models', 'tick'];
  const output = await supabase(['functions', 'deploy', ...names, '--use-api', '--yes', ...target], folder, {
    SUPABASE_ACCESS_TOKEN: TOKEN,
  });
  assert.doesNotMatch(output, /WARN/, 'every import leads to a file');
  assert.deepEqual([...api.deployed.keys()].sort(), names);
  for (const [name, { metadata, files }] of api.deployed) {
    assert.equal(metadata.verify_jwt, false, name);
    assert.equal(metadata.entrypoint_path, `supabase/functions/${name}/index.ts`);
    assert.equal(metadata.import_map_path, 'supabase/functions/deno.json');
    const needed = importGraph([join(ROOT, `supabase/functions/${name}/index.ts`)]).files;
    assert.ok(needed.length > 100);
    const sent = new Set(files.map((file) => join(ROOT, file)));
    assert.deepEqual(
      needed.filter((file) => !sent.has(file)),
      [],
      `${name} lacks files`,
    );
  }
});
