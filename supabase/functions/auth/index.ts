// Written by `npm run generate` from docs/openapi.json. Serves all of /auth/.
import { serve } from '../_door.ts';

serve('auth');
