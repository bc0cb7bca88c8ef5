// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/merge-guest-user.
import { serve } from '../_door.ts';

serve('merge-guest-user');
