// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/stripe-webhook.
import { serve } from '../_door.ts';

serve('stripe-webhook');
