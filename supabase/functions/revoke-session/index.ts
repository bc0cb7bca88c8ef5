// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/revoke-session.
import { serve } from '../_door.ts';

serve('revoke-session');
