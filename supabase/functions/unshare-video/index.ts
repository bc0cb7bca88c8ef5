// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/unshare-video.
import { serve } from '../_door.ts';

serve('unshare-video');
