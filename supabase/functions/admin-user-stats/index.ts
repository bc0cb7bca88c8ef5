// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-user-stats.
import { serve } from '../_door.ts';

serve('admin-user-stats');
