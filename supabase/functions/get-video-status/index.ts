// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/get-video-status.
import { serve } from '../_door.ts';

serve('get-video-status');
