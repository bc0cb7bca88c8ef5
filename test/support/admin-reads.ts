/** Reads of administrators, and what stores leave to be read. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestAdministrator } from './administrators.ts';
import type { TestApp } from './app.ts';

/** No test has as many rows. */
const ROWS_MAX = 5_000;

export type Query = Record<string, string | number | boolean>;

export function readerOf(administrator: TestAdministrator) {
  const get = (path: string, query: Query) =>
    administrator.call(
      `${path}?${new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))}`,
    );
  const reader = {
    async read(path: string, query: Query = {}) {
      const { status, body } = await get(path, query);
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
      return body;
    },
    async refused(path: string, query: Query) {
      const { status, body } = await get(path, query);
      return [status, body.error?.code, body.error?.details.field];
    },
    /** All rows of a list, read page by page. */
    async all(path: string, name: string, query: Query = {}, limit = 2) {
      const rows = [];
      for (let cursor = ''; rows.length <= ROWS_MAX; ) {
        const page = await reader.read(path, { ...query, limit, cursor });
        assert.ok(page[name].length <= limit);
        assert.notEqual(page.next_cursor, cursor, 'a page leads to itself');
        rows.push(...page[name]);
        if (page.next_cursor === null) return rows;
        cursor = page.next_cursor;
      }
      throw new assert.AssertionError({ message: `${path} does not end` });
    },
  };
  return reader;
}

/** A purchase in the App Store, of 4.99 for ten credits. Returns the transaction. */
export async function buy(app: TestApp, userId: string, { quantity = 1, currency = 'USD' } = {}): Promise<string> {
  const transaction = randomUUID();
  await app.owner.query(
    `select credit_purchase('apple', 'Production', $1, 'com.rendio.credits.10', $2, p_caller_id := $3,
       p_price_milliunits := 4990 * $2, p_currency := $4)`,
    [transaction, quantity, userId, currency],
  );
  return transaction;
}

/** A notification about a transaction, processed or not. Returns its id. */
export async function notify(app: TestApp, transaction: string, { isProcessed = true } = {}): Promise<string> {
  const id = randomUUID();
  await app.owner.query(
    `select record_store_notification('apple', $1, 'REFUND', now(), 'a signed text', p_transaction_id := $2)`,
    [id, transaction],
  );
  if (isProcessed) await app.owner.query(`select finish_store_notification('apple', $1, 'unchanged')`, [id]);
  return id;
}
