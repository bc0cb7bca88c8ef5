// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/update-user-profile.
import { serve } from '../_door.ts';

serve('update-user-profile');
