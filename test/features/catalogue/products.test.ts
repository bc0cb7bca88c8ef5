/** What is for sale, as the database says at each call. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createTestApp } from '../../support/app.ts';
import { createShop } from '../../support/stripe.ts';

const app = await createTestApp();
after(() => app[Symbol.asyncDispose]());

async function list(token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await app.fetch('/functions/v1/get-products', { headers });
  return { status: response.status, body: await response.json() };
}

describe('get-products', () => {
  it('lists the seeded products, the smallest first, with exactly the promised fields', async () => {
    const { status, body } = await list(await app.tokenOf(await app.user(0)));
    assert.equal(status, 200);
    assert.deepEqual(body, {
      products: [
        { product_id: 'com.rendio.credits.10', credits: 10, display_name: '10 credits' },
        { product_id: 'com.rendioai.credits.starter.25', credits: 25, display_name: 'Starter: 25 credits' },
        { product_id: 'com.rendio.credits.50', credits: 50, display_name: '50 credits' },
        { product_id: 'com.rendioai.credits.popular.60', credits: 60, display_name: 'Popular: 60 credits' },
        { product_id: 'com.rendio.credits.100', credits: 100, display_name: '100 credits' },
        { product_id: 'com.rendioai.credits.best.150', credits: 150, display_name: 'Best value: 150 credits' },
      ],
    });
  });

  it('adds the bonus, leaves out what is not active, and orders equal ones by id', async () => {
    const token = await app.tokenOf(await app.user(0));
    await app.owner.query(`update products set bonus_credits = 15 where product_id = 'com.rendio.credits.10'`);
    await app.owner.query(`update products set is_active = false where product_id = 'com.rendio.credits.100'`);
    const { products } = (await list(token)).body;
    assert.deepEqual(
      products.map((one: { product_id: string; credits: number }) => [one.product_id, one.credits]),
      [
        ['com.rendio.credits.10', 25],
        ['com.rendioai.credits.starter.25', 25],
        ['com.rendio.credits.50', 50],
        ['com.rendioai.credits.popular.60', 60],
        ['com.rendioai.credits.best.150', 150],
      ],
    );
  });

  it('tells the prices of the web shop where there is one, of what is sold there', async () => {
    await using shop = await createShop();
    const { people } = shop;
    await people.rows(`update products set web_price_cents = null where product_id = 'com.rendio.credits.50'`);
    await people.rows(`update products set web_currency = 'jpy' where product_id = 'com.rendioai.credits.starter.25'`);
    const { body } = await people.call((await people.guest()).token, 'get-products');
    const priced = body.products.map((one: { product_id: string; web_price?: object }) => [
      one.product_id,
      one.web_price,
    ]);
    assert.deepEqual(priced.slice(0, 3), [
      ['com.rendio.credits.10', { amount: 2.99, currency: 'usd' }],
      ['com.rendioai.credits.starter.25', { amount: 699, currency: 'jpy' }],
      ['com.rendio.credits.50', undefined],
    ]);
  });

  it('needs a user’s token', async () => {
    const { status, body } = await list();
    assert.deepEqual([status, body.error.code], [401, 'ERR_4005']);
  });
});
