// Background work for projects without a worker: called every minute by pg_cron, see docs/supabase.md.
import { serveTick } from '../../../src/entry/door/tick.ts';

serveTick();
