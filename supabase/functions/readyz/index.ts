// Written by `npm run generate` from docs/openapi.json. Serves /readyz.
import { serve } from '../_door.ts';

serve('readyz');
