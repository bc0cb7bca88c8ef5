// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/redeem-code.
import { serve } from '../_door.ts';

serve('redeem-code');
