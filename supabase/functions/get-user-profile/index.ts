// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/get-user-profile.
import { serve } from '../_door.ts';

serve('get-user-profile');
