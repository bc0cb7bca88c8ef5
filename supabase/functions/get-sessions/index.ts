// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/get-sessions.
import { serve } from '../_door.ts';

serve('get-sessions');
