/** The OpenAPI description of the devices that get pushes. */
import { jsonContent } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { PushTokenBody, PushTokenChanged } from './push-schemas.ts';

const SHARED = {
  path: '/functions/v1/register-push-token',
  tags: ['Video jobs'],
  request: {
    body: jsonContent(PushTokenBody, {
      device: {
        summary: 'A phone with the app from the App Store',
        value: {
          token: '740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad',
          environment: 'production' as const,
        },
      },
    }),
  },
  answer: {
    schema: PushTokenChanged,
    description: 'Done, now or by an earlier request',
    example: { success: true as const },
    errors: ['ERR_4017' as const],
    details: { ERR_4006: { field: 'token' }, ERR_4017: { feature: 'push' } },
  },
};

export const REGISTER_PUSH_TOKEN = userRoute({
  ...SHARED,
  method: 'post',
  operationId: 'registerPushToken',
  summary: 'Get pushes on this device',
  description:
    'Registers the device for pushes about the caller’s videos: that one is ready, or that one has failed and its credits are ' +
    'back, in the account’s language. Call it each time the app starts and after each sign-in. A device gets the pushes of one ' +
    'account: registering it under another moves it. It is forgotten when the session that registered it ends, when Apple says ' +
    'that the app is gone from it, and beyond the twenty devices of an account that were registered last. 501 where the server ' +
    'has no key for pushes.',
});

export const UNREGISTER_PUSH_TOKEN = userRoute({
  ...SHARED,
  method: 'delete',
  operationId: 'unregisterPushToken',
  summary: 'Get no more pushes on this device',
  description: 'Takes the same body. Also succeeds for a device that is not registered, or not for the caller.',
});
