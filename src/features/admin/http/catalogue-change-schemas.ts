/** Shapes of changes to models, codes and products. */
import { z } from '@hono/zod-openapi';
import { credits, time, uuid } from '../../../http/api.ts';
import { parseCreditCode } from '../../../kernel/credit-code.ts';
import { CREDITS_OF_CHANGE_MAX, reason } from './schemas.ts';
import { GivenSettingsSchema } from './settings-schema.ts';

const USES_MAX = 1_000_000;
/** The longest code, written with a space after each character and some more around it. */
const CODE_TEXT_MAX = 100;
const URL_MAX = 2_000;

/** Null and absent mean the same. */
const NULLABLE_TEXT: ['string', 'null'] = ['string', 'null'];

const price = z.int().min(1).max(CREDITS_OF_CHANGE_MAX);

export const ToggleModelBody = z.object({ model_id: uuid, is_available: z.boolean(), reason });

/** An empty text removes it. */
const thumbnailUrl = z
  .union([z.literal(''), z.url({ protocol: /^https$/, hostname: z.regexes.domain }).max(URL_MAX)])
  .nullish()
  .openapi({ type: NULLABLE_TEXT, description: 'An https URL; an empty text removes it.' });

export const UpdateModelBody = z.object({
  model_id: uuid,
  name: z.string().trim().min(1).max(100).nullish(),
  description: z.string().trim().max(2_000).nullish(),
  price_credits: price.nullish().openapi({
    description:
      'The price per started `price_per_seconds`, or of the whole video where the model is sold at a flat price.',
  }),
  price_per_seconds: price.nullish().openapi({
    description:
      'The billing unit, in seconds of video. It turns a flat price into one by the second; a unit of at least the longest ' +
      'duration is as good as flat.',
  }),
  is_featured: z.boolean().nullish(),
  settings_schema: GivenSettingsSchema.nullish(),
  thumbnail_url: thumbnailUrl,
  reason,
});

export const ChangedModel = z.object({
  id: z.uuid(),
  name: z.string(),
  category: z.string(),
  description: z.string(),
  cost_per_generation: credits('The price of one generation with the default settings'),
  pricing: z.object({
    credits: credits('The price per started `per_seconds`, or of the whole video if `per_seconds` is null'),
    per_seconds: z.int().nullable(),
  }),
  provider: z.string(),
  provider_model_id: z.string(),
  is_featured: z.boolean(),
  is_available: z.boolean().openapi({ description: 'Whether it is on offer, where its provider is configured.' }),
  requires_image: z.boolean(),
  prompt_max: z.int(),
  thumbnail_url: z.string().nullable(),
  settings_schema: z.record(z.string(), z.unknown()),
  created_at: time,
  updated_at: time,
});

const code = z
  .string()
  .max(CODE_TEXT_MAX)
  .transform((text, issues) => {
    const parsed = parseCreditCode(text);
    if (parsed === null) issues.addIssue({ code: 'custom' });
    return parsed ?? z.NEVER;
  })
  .nullish()
  .openapi({
    type: NULLABLE_TEXT,
    description:
      '4 to 40 letters and digits; case, dashes and spaces do not matter. Without it, one that cannot be guessed is made.',
  });

export const CreateCodeBody = z.object({
  code,
  credits: price.openapi({ description: 'What each account that redeems it gets.' }),
  uses_max: z.int().min(1).max(USES_MAX).openapi({ description: 'How many accounts can redeem it.' }),
  expires_at: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .nullish()
    .openapi({
      type: NULLABLE_TEXT,
      format: 'date-time',
      description: 'In the future; without it, the code does not expire.',
    }),
  reason,
});

export const CreatedCode = z.object({
  id: z.uuid(),
  code: z.string().openapi({ description: 'As it is stored: capitals and digits.' }),
  credits: credits('What each account that redeems it gets'),
  uses: z.int().openapi({ description: 'How many accounts have redeemed it.' }),
  uses_max: z.int(),
  expires_at: time.nullable(),
  created_at: time,
});

export const UpdateProductBody = z.object({
  product_id: z.string().min(1).max(200),
  credits: price.nullish().openapi({ description: 'What a purchase adds from now on, without the bonus.' }),
  display_name: z.string().trim().min(1).max(200).nullish(),
  is_active: z
    .boolean()
    .nullish()
    .openapi({ description: 'Whether it is listed. A purchase of one that is not is credited all the same.' }),
  reason,
});

export const ChangedProduct = z.object({
  product_id: z.string(),
  display_name: z.string(),
  credits: credits('What a purchase adds'),
  bonus_credits: credits('What a purchase adds besides'),
  web_price_cents: z.int().nullable(),
  web_currency: z.string(),
  is_active: z.boolean(),
  created_at: time,
  updated_at: time,
});
