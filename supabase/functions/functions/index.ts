// Written by `npm run generate` from docs/openapi.json. Serves all of /functions/v1/, for clients whose base URL is the functions’.
import { serve } from '../_door.ts';

serve('functions');
