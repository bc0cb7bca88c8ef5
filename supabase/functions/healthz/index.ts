// Written by `npm run generate` from docs/openapi.json. Serves /healthz.
import { serve } from '../_door.ts';

serve('healthz');
