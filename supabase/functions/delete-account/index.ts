// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/delete-account.
import { serve } from '../_door.ts';

serve('delete-account');
