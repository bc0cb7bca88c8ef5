// Written by `npm run generate` from docs/openapi.json. Serves /metrics.
import { serve } from '../_door.ts';

serve('metrics');
