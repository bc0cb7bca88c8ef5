// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-toggle-model.
import { serve } from '../_door.ts';

serve('admin-toggle-model');
