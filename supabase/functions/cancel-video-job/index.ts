// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/cancel-video-job.
import { serve } from '../_door.ts';

serve('cancel-video-job');
