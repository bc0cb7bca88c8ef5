// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/update-credits.
import { serve } from '../_door.ts';

serve('update-credits');
