// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/apple-server-notifications.
import { serve } from '../_door.ts';

serve('apple-server-notifications');
