// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/export-account.
import { serve } from '../_door.ts';

serve('export-account');
