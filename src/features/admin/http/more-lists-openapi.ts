import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { AT, list } from './list-openapi.ts';
import * as schemas from './list-schemas.ts';

export const LIST_PRODUCTS = list({
  name: 'products',
  what: 'products',
  description: 'All products, also those that are not on sale.',
  query: schemas.ProductsQuery,
  schema: schemas.Products,
  example: {
    products: [
      {
        product_id: 'com.rendio.credits.10',
        display_name: '10 credits',
        credits: 10,
        bonus_credits: 0,
        web_price_cents: null,
        web_currency: 'usd',
        is_active: true,
        created_at: AT,
        updated_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_CODES = list({
  name: 'codes',
  what: 'codes for credits',
  description: 'All codes, also those that are used up or expired.',
  query: schemas.CodesQuery,
  schema: schemas.Codes,
  example: {
    codes: [
      {
        id: EXAMPLE_IDS.transaction,
        code: 'SUMMER2026',
        credits: 5,
        uses: 120,
        uses_max: 1000,
        expires_at: null,
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const FIND_USERS = list({
  name: 'users',
  what: 'accounts, or find one',
  description:
    'With `query`: the accounts that it is an id of, deleted ones too; a merged guest’s is the account that it was merged into. Without: ' +
    'the accounts that are not deleted.',
  query: schemas.UsersQuery,
  schema: schemas.Users,
  example: {
    users: [
      {
        id: EXAMPLE_IDS.user,
        email: 'grace@example.com',
        is_guest: false,
        is_banned: false,
        credits_remaining: 6,
        credits_total: 10,
        created_at: AT,
        deleted_at: null,
      },
    ],
    next_cursor: null,
  },
});
