// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/webhook-delivery.
import { serve } from '../_door.ts';

serve('webhook-delivery');
