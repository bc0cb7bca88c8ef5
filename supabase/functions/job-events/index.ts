// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/job-events.
import { serve } from '../_door.ts';

serve('job-events');
