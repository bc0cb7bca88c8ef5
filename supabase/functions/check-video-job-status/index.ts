// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/check-video-job-status.
import { serve } from '../_door.ts';

serve('check-video-job-status');
