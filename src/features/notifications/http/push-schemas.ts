import { z } from '@hono/zod-openapi';
import { userIdCheck } from '../../../http/api.ts';

export const PushTokenBody = userIdCheck.extend({
  token: z
    .string()
    .regex(/^[0-9a-f]{64,200}$/i)
    .transform((text) => text.toLowerCase())
    .openapi({
      type: 'string',
      pattern: '^[0-9a-fA-F]{64,200}$',
      description: 'The device token that iOS gave the app, in hexadecimal: 64 to 200 digits in any case.',
      example: '740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad',
    }),
  environment: z.enum(['production', 'sandbox']).openapi({
    description:
      'Where Apple knows the token: `sandbox` for a build that Xcode runs, `production` for one from TestFlight or the App ' +
      'Store. It is the app’s entitlement `aps-environment`, where `development` stands for `sandbox`.',
  }),
});

export const PushTokenChanged = z.object({ success: z.literal(true) }).openapi('PushTokenChanged');
