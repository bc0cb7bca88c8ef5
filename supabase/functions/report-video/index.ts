// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/report-video.
import { serve } from '../_door.ts';

serve('report-video');
