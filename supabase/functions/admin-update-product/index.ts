// Written by `npm run generate` from docs/openapi.json. Serves /functions/v1/admin-update-product.
import { serve } from '../_door.ts';

serve('admin-update-product');
