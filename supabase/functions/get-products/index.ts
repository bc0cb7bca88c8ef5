// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/get-products.
import { serve } from '../_door.ts';

serve('get-products');
