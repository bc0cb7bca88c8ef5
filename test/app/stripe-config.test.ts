/** The web shop's variables: both or none, strong outside development, and no test card in production. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { readConfig } from '../../src/app/config.ts';
import { realConnections } from '../../src/app/vendor-connections.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';

const SECRET = `whsec_${'a1B2'.repeat(8)}`;
const KEYS = { STRIPE_SECRET_KEY: 'rk_live_51Hxyz', STRIPE_WEBHOOK_SECRET: SECRET };

/** The complaints about the shop's variables alone. */
async function complaints(env: Record<string, string>): Promise<string[]> {
  try {
    await readConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error));
    assert.doesNotMatch(error.message, /51Hxyz|a1B2/, 'no value is shown');
    return [...error.message.matchAll(/^ {2}(STRIPE_\w+) (.*?)(?:\. Example|$)/gm)].map(
      ([, name, text]) => `${name} ${text}`,
    );
  }
}

test('there is no web shop without its keys, and one key alone is refused by the name of the other', async () => {
  const config = await readConfig({});
  assert.equal(realConnections(config, []).stripe, undefined);
  for (const ENVIRONMENT of ['development', 'staging'])
    for (const [given, missing] of [Object.keys(KEYS), Object.keys(KEYS).reverse()]) {
      const env = { ENVIRONMENT, [given ?? '']: Object(KEYS)[given ?? ''] };
      assert.deepEqual(await complaints(env), [`${missing} is missing: ${given} cannot be used without it`]);
    }
});

test('with its keys Stripe is called, at its own URL unless another is set', async () => {
  const config = await readConfig(KEYS);
  const { stripe } = realConnections(config, []);
  assert.deepEqual(
    [stripe?.secretKey, stripe?.webhookSecret, stripe?.baseUrl],
    ['rk_live_51Hxyz', SECRET, 'https://api.stripe.com'],
  );
  assert.doesNotMatch(`${inspect(config, { depth: 9 })}${JSON.stringify(config)}`, /51Hxyz|a1B2/);
  const local = await readConfig({ ...KEYS, STRIPE_API_URL: 'http://127.0.0.1:12111/' });
  assert.equal(realConnections(local, []).stripe?.baseUrl, 'http://127.0.0.1:12111');
});

test('outside development the keys are Stripe’s, the secret is one, and the key travels over https', async () => {
  const isNoKey = 'STRIPE_SECRET_KEY must be a key of Stripe (sk_… or rk_…)';
  const isNoSecret = 'STRIPE_WEBHOOK_SECRET must be the signing secret of a webhook endpoint (whsec_…)';
  const cases: [Record<string, string>, string[]][] = [
    [{}, []],
    [{ STRIPE_SECRET_KEY: 'sk_live_51Hxyz' }, []],
    [{ STRIPE_SECRET_KEY: 'sk_test_51Hxyz' }, []],
    [{ STRIPE_SECRET_KEY: 'pk_live_51Hxyz' }, [isNoKey]],
    [{ STRIPE_SECRET_KEY: 'sk_' }, [isNoKey]],
    [{ STRIPE_WEBHOOK_SECRET: 'a1B2'.repeat(8) }, [isNoSecret]],
    [{ STRIPE_WEBHOOK_SECRET: 'whsec_a1B2' }, [isNoSecret]],
    [
      { STRIPE_API_URL: 'http://stripe.example' },
      ["STRIPE_API_URL must be https in staging: the vendor's key is sent there"],
    ],
  ];
  for (const [change, expected] of cases) {
    assert.deepEqual(
      await complaints({ ...KEYS, ...change, ENVIRONMENT: 'staging' }),
      expected,
      JSON.stringify(change),
    );
    assert.deepEqual(await complaints({ ...KEYS, ...change }), [], 'in development it is accepted');
  }
});

test('production takes no test key, with which test cards would buy credits', async () => {
  for (const key of ['sk_test_51Hxyz', 'rk_test_51Hxyz'])
    assert.deepEqual(await complaints({ ...KEYS, STRIPE_SECRET_KEY: key, ENVIRONMENT: 'production' }), [
      'STRIPE_SECRET_KEY is a test key: in production, its test cards would buy credits',
    ]);
  assert.deepEqual(await complaints({ ...KEYS, ENVIRONMENT: 'production' }), []);
});
