// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/get-video-jobs.
import { serve } from '../_door.ts';

serve('get-video-jobs');
