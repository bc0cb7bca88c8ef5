// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/create-checkout.
import { serve } from '../_door.ts';

serve('create-checkout');
