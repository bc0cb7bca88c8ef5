// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-update-model.
import { serve } from '../_door.ts';

serve('admin-update-model');
