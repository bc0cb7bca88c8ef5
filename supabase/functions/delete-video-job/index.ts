// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/delete-video-job.
import { serve } from '../_door.ts';

serve('delete-video-job');
