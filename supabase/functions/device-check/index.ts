// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/device-check.
import { serve } from '../_door.ts';

serve('device-check');
