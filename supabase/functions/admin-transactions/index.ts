// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-transactions.
import { serve } from '../_door.ts';

serve('admin-transactions');
