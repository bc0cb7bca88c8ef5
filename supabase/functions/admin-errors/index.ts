// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-errors.
import { serve } from '../_door.ts';

serve('admin-errors');
