// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/share-video.
import { serve } from '../_door.ts';

serve('share-video');
