// Written by `npm run generate` from docs/openapi.json. Serves all of /storage/.
import { serve } from '../_door.ts';

serve('storage');
