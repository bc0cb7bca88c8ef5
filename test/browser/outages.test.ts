import assert from 'node:assert/strict';
import { browserTests } from '../support/browser.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import {
  asGuest,
  balanceIs,
  chooseSmallest,
  describeVideo,
  ENDLESS,
  ledger,
  playing,
  press,
  settled,
  stageIs,
} from './steps.ts';

let server: TestServer;
const browserTest = browserTests({
  async start() {
    server = await startTestServer();
    return server;
  },
});

browserTest(
  'after a lost answer the request is sent again with the same key, and charged once',
  {},
  async ({ page }) => {
    await settled(page);
    const keys: (string | undefined)[] = [];
    await page.route('**/generate-video', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort('connectionreset');
    });
    await chooseSmallest(page);
    await describeVideo(page, 'Paid once');
    await press(page);
    await playing(page);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    await balanceIs(page, 9);
    assert.equal((await asGuest(page, 'get-video-jobs')).total, 1);
  },
);

browserTest('a request that had no answer survives a reload, with its key', {}, async ({ page }) => {
  await settled(page);
  const keys: (string | undefined)[] = [];
  await page.route('**/generate-video', async (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    await route.abort('connectionreset');
  });
  await describeVideo(page, ENDLESS);
  await press(page);
  await page.getByText('Waiting for a connection…').waitFor();
  await page.unroute('**/generate-video');
  const sent = page.waitForRequest('**/generate-video');
  await page.reload();
  assert.equal((await sent).headers()['idempotency-key'], keys[0]);
  await stageIs(page, 'running');
  await balanceIs(page, 9);
});

browserTest('without an event stream the page polls instead', {}, async ({ page }) => {
  await page.route('**/job-events', (route) => route.abort());
  await page.reload();
  await settled(page);
  await chooseSmallest(page);
  await describeVideo(page, 'No events');
  await press(page);
  await playing(page);
  await balanceIs(page, 9);
});

browserTest('an expired access token is refreshed once, even if several calls need it', {}, async ({ page }) => {
  await settled(page);
  await describeVideo(page, ENDLESS);
  await press(page);
  await stageIs(page, 'running');
  const guest = (await asGuest(page, 'get-user-profile')).id;
  const refreshes: string[] = [];
  page.on('request', (request) => /token|device-check/.test(request.url()) && refreshes.push(request.url()));
  const calls = ['get-user-credits', 'get-video-status', 'job-events'].map((name) =>
    page.waitForResponse((response) => response.url().includes(name) && response.ok()),
  );
  await page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
    localStorage.setItem('rendio.session', JSON.stringify({ ...session, access_token: 'x', expires_at: 1 }));
    // The stream ends, and the page at once requests everything that it may have missed.
    dispatchEvent(new Event('offline'));
  });
  await Promise.all(calls);
  assert.equal(refreshes.length, 1, refreshes.join());
  assert.match(refreshes[0] ?? '', /grant_type=refresh_token$/);
  assert.equal((await asGuest(page, 'get-user-profile')).id, guest);
});

browserTest('a token that the server no longer accepts is refreshed, and the call repeated', {}, async ({ page }) => {
  await settled(page);
  await page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
    localStorage.setItem('rendio.session', JSON.stringify({ ...session, access_token: 'x' }));
  });
  await chooseSmallest(page);
  await describeVideo(page, 'With a fresh token');
  await press(page);
  await stageIs(page, 'running');
});

browserTest('a server that is killed while it makes a video finishes it after a restart', {}, async ({ page }) => {
  await settled(page);
  await page.getByRole('radio', { name: '360p' }).check();
  await describeVideo(page, 'A train through a long tunnel');
  await press(page);
  await page.locator('#figure', { hasText: '%' }).waitFor();
  await server.kill('SIGKILL');
  await page.locator('#notice').getByText('Connection lost.').waitFor();
  const env = { DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
  await using _restarted = await startTestServer({ env });
  await playing(page);
  await page.locator('#notice:empty').waitFor({ state: 'attached' });
  assert.deepEqual(await ledger(page), ['-1', '+10']);
});
