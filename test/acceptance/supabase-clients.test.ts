/** Supabase's official clients, unmodified, through everything that they are promised. test/door runs it on Deno too. */
import { after, describe } from 'node:test';
import { startAppleId } from '../support/apple-id-server.ts';
import { testSupabaseClients } from './support/supabase/suites.ts';
import { OWN_SERVER, useServer } from './support/target.ts';

describe('Supabase’s clients', OWN_SERVER, async () => {
  const appleId = await startAppleId();
  after(() => appleId[Symbol.asyncDispose]());
  const target = useServer(appleId.env);
  testSupabaseClients({
    apple: appleId.apple,
    get url() {
      return target.url;
    },
  });
});
