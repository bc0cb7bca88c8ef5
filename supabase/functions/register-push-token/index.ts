// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/register-push-token.
import { serve } from '../_door.ts';

serve('register-push-token');
