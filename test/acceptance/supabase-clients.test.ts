/** Supabase's official clients, unmodified, through everything that they are promised. */
import { after, describe } from 'node:test';
import { startAppleId } from '../support/apple-id-server.ts';
import { testErrors } from './support/supabase/errors.ts';
import { testFunctions } from './support/supabase/functions.ts';
import { testSessions } from './support/supabase/session.ts';
import { testSignIn } from './support/supabase/sign-in.ts';
import { OWN_SERVER, useServer } from './support/target.ts';

describe('Supabase’s clients', OWN_SERVER, async () => {
  const { apple, env, ...server } = await startAppleId();
  after(() => server[Symbol.asyncDispose]());
  const target = useServer(env);
  const door = {
    apple,
    get url() {
      return target.url;
    },
  };
  testSignIn(door);
  testSessions(door);
  testErrors(door);
  testFunctions(door);
});
