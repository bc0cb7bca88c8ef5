/** Everything that Supabase's clients are promised. */
import type { Door } from './clients.ts';
import { testErrors } from './errors.ts';
import { testFunctions } from './functions.ts';
import { testSessions } from './session.ts';
import { testSignIn } from './sign-in.ts';
import { testStorage } from './storage.ts';
import { testSwift } from './swift.ts';

export function testSupabaseClients(door: Door): void {
  testSignIn(door);
  testSessions(door);
  testErrors(door);
  testFunctions(door);
  testStorage(door);
  testSwift(door);
}
