// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-adjust-credits.
import { serve } from '../_door.ts';

serve('admin-adjust-credits');
