// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-reports.
import { serve } from '../_door.ts';

serve('admin-reports');
