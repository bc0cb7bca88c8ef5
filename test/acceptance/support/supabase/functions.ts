/** `functions.invoke` of Supabase's client. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Door, dataOf, newDevice, newGuestDevice } from './clients.ts';

export function testFunctions(door: Door): void {
  describe('a function that Supabase’s client invokes', () => {
    test('is called as the user who is signed in: GET, POST with an object, with text, with nothing', async () => {
      const { supabase, id } = await newGuestDevice(door);
      const credits = dataOf(await supabase.functions.invoke('get-user-credits', { method: 'GET' }));
      assert.deepEqual(credits, { credits_remaining: 0 });
      const listed = dataOf(await supabase.functions.invoke('get-video-jobs?limit=1', { method: 'GET' }));
      assert.deepEqual(listed.jobs, []);
      const byObject = await supabase.functions.invoke('update-user-profile', { body: { language: 'tr' } });
      assert.deepEqual([dataOf(byObject).id, dataOf(byObject).language], [id, 'tr']);
      const byText = await supabase.functions.invoke('update-user-profile', { body: '{"language":"es"}' });
      assert.equal(dataOf(byText).language, 'es');
      const byPatch = { method: 'PATCH', body: { theme_preference: 'dark' } } as const;
      assert.equal(dataOf(await supabase.functions.invoke('update-user-profile', byPatch)).theme_preference, 'dark');
      assert.equal(dataOf(await supabase.functions.invoke('update-user-profile')).language, 'es');
    });

    test('fails with the contract’s error, and without a session with 401; what is public needs none', async () => {
      const { supabase } = await newGuestDevice(door);
      const refused = await supabase.functions.invoke('update-user-profile', { body: { language: 'xx' } });
      assert.equal(refused.error?.name, 'FunctionsHttpError');
      const body: { error: { code: string } } = await refused.response?.json();
      assert.deepEqual([refused.response?.status, body.error.code], [400, 'ERR_4006']);
      const signedOut = newDevice(door).supabase;
      assert.equal((await signedOut.functions.invoke('get-user-credits', { method: 'GET' })).response?.status, 401);
      assert.ok(dataOf(await signedOut.functions.invoke('get-models', { method: 'GET' })).models.length > 0);
    });
  });
}
