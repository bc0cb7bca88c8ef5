// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/generate-video.
import { serve } from '../_door.ts';

serve('generate-video');
