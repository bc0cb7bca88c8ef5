// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/apple-account-notifications.
import { serve } from '../_door.ts';

serve('apple-account-notifications');
