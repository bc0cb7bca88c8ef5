/** An image is chosen, shown as in the video, uploaded and animated; an unusable one is refused before any charge. */
import assert from 'node:assert/strict';
import type { Page, Request } from 'playwright-core';
import { SOURCE_BOUNDS } from '../../src/features/generations/source-image.ts';
import { browserTests } from '../support/browser.ts';
import { drawImage, drawNoise, type ImageFormat } from '../support/images.ts';
import { assertAccessible } from './sound.ts';
import {
  asGuest,
  balanceIs,
  describeVideo,
  focusIsAt,
  ledger,
  playing,
  press,
  settled,
  stageIs,
  tabTo,
} from './steps.ts';

const browserTest = browserTests();
const NO_MOTION = { reducedMotion: 'reduce' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** The price of the shortest video of the model Animate. */
const PRICE = 4;

/** Waits for the page and chooses the model that animates images. */
async function chooseAnimate(page: Page): Promise<void> {
  await settled(page);
  await page.getByRole('radio', { name: 'Animate', exact: true }).check();
  await page.locator('#image').waitFor({ state: 'attached' });
}

async function file(name: string, width: number, height: number, format: ImageFormat = 'jpeg') {
  return { name, mimeType: `image/${format}`, buffer: await drawImage(width, height, { format }) };
}

const TEXT = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture at all') };

async function choose(page: Page, chosen: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  await page.locator('#image').setInputFiles(chosen);
}

/** Resolves once the image is on the server. */
async function uploaded(page: Page): Promise<void> {
  await page.locator('.preview canvas').waitFor();
  await page.locator('.frame progress').waitFor({ state: 'detached' });
  assert.equal(await page.locator('#image-refused').isVisible(), false);
}

/** Records the requests that could change something, from now on. */
function watchWrites(page: Page): Request[] {
  const seen: Request[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET' && /\/object\/user_uploads|generate-video/.test(request.url())) seen.push(request);
  });
  return seen;
}

const namesOf = (requests: Request[]) =>
  requests.map((request) => `${request.method()} ${new URL(request.url()).pathname.split('/').slice(3, 5).join('/')}`);

const accountOf = (page: Page) =>
  page.evaluate(() => String(JSON.parse(localStorage.getItem('rendio.session') ?? '{}').user_id));

/** Calls the storage API as the page's guest. */
function callStorage(page: Page, verb: string, method: string, body: object): Promise<{ name: string }[]> {
  return page.evaluate(
    async ([path, way, text]) => {
      const { access_token } = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
      const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' };
      return (await fetch(path, { method: way, headers, body: text })).json();
    },
    [`/storage/v1/object/${verb ? `${verb}/` : ''}user_uploads`, method, JSON.stringify(body)] as const,
  );
}

/** The aspect ratio of the visible part of the image. */
async function visibleRatio(page: Page): Promise<number> {
  const box = await page.locator('.frame').boundingBox();
  return (box?.width ?? 0) / (box?.height ?? 1);
}

browserTest(
  'a chosen image is shown in the shape of the video, uploaded, and animated for its price',
  {},
  async ({ page }) => {
    await chooseAnimate(page);
    await choose(page, await file('lighthouse.jpg', 900, 1400));
    await uploaded(page);
    assert.ok(await page.getByRole('radio', { name: '9:16' }).isChecked(), 'the shape that fits it best');
    assert.ok(Math.abs((await visibleRatio(page)) - 9 / 16) < 0.02);
    await page.getByText('The video will show this part of the image.').waitFor();
    await page.getByRole('radio', { name: '16:9' }).check();
    assert.ok(Math.abs((await visibleRatio(page)) - 16 / 9) < 0.05);
    await page.getByRole('button', { name: 'A breeze' }).click();
    assert.equal(await page.locator('#generate .price').textContent(), `${PRICE} credits`);
    await press(page);
    await playing(page);
    assert.deepEqual(await ledger(page), [`-${PRICE}`, '+10']);
  },
);

browserTest('Make changes: the image is there again, also after a reload', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await chooseAnimate(page);
  await choose(page, await file('lighthouse.png', 1600, 900, 'png'));
  await describeVideo(page, 'The lamp turns');
  await press(page);
  await stageIs(page, 'done');
  await page.reload();
  await settled(page);
  await page.getByRole('radio', { name: 'Sandbox' }).check();
  await page.getByRole('button', { name: 'Make changes' }).click();
  await uploaded(page);
  assert.equal(await page.locator('#prompt').inputValue(), 'The lamp turns');
  await press(page);
  await balanceIs(page, 10 - 2 * PRICE);
  const bodies = writes.filter((request) => request.url().endsWith('generate-video')).map((one) => one.postDataJSON());
  assert.equal(bodies.length, 2);
  assert.match(bodies[0].image_url, /^[0-9a-f-]{36}\/[0-9a-f]{64}\.png$/);
  assert.equal(bodies[1].image_url, bodies[0].image_url);
  assert.equal(writes.length, 3, 'uploaded once');
});

browserTest('without an image the form sends nothing and moves the focus to the file field', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await chooseAnimate(page);
  await describeVideo(page, 'It moves');
  assert.equal(await page.locator('#reason').textContent(), 'Choose an image to animate.');
  // Playwright sends keys by another channel than its request to intercept file choosers, which must arrive first.
  const chooser = page.waitForEvent('filechooser');
  await page.locator('#prompt').press('Control+Enter');
  await focusIsAt(page, 'image');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(await file('sun.webp', 800, 450, 'webp'));
  await uploaded(page);
  // After a removal by keyboard the focus is at the file field.
  await tabTo(page, 'image-remove');
  const removed = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.keyboard.press('Enter');
  await focusIsAt(page, 'image');
  assert.equal((await removed).status(), 200);
  assert.deepEqual(namesOf(writes), ['POST object/user_uploads', 'DELETE object/user_uploads']);
});

for (const [locale, sentences] of Object.entries({
  'en-GB': [
    /not an image this browser can open/,
    /too small: each side needs at least 256 pixels/,
    /too long and narrow/,
  ],
  'tr-TR': [/tarayıcınızın açabildiği bir görsel değil/, /çok küçük: her kenarı en az 256 piksel/, /fazla uzun ve dar/],
  'es-ES': [/no es una imagen que este navegador pueda abrir/, /demasiado pequeña: .* 256 píxeles/, /larga y estrecha/],
})) {
  browserTest(
    `an unusable file is refused with its message, and nothing is sent (${locale})`,
    { locale },
    async ({ page }) => {
      const writes = watchWrites(page);
      await chooseAnimate(page);
      const wrong = [TEXT, await file('small.png', 400, 255, 'png'), await file('strip.jpg', 1000, 400)];
      for (const [index, sentence] of sentences.entries()) {
        await choose(page, wrong[index] ?? TEXT);
        await page.locator('#image-error').getByText(sentence).waitFor();
        assert.equal(await page.locator('#image').getAttribute('aria-invalid'), 'true');
        assert.ok(await page.locator('.drop').isVisible());
      }
      assert.deepEqual(namesOf(writes), []);
      assert.equal((await asGuest(page, 'get-user-credits')).credits_remaining, 10);
    },
  );
}

browserTest(
  'an image that is too large or of another type is sent as a copy that fits, and the page says so',
  {},
  async (visit) => {
    const { page } = visit;
    const writes = watchWrites(page);
    await chooseAnimate(page);
    const noise = { name: 'noise.png', mimeType: 'image/png', buffer: await drawNoise(2400, 1600) };
    assert.ok(noise.buffer.length > 10_485_760);
    for (const large of [noise, await file('loop.gif', 640, 360, 'gif')]) {
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      await choose(page, large);
      assert.equal((await answer).status(), 200);
      await uploaded(page);
      await page
        .locator('#image-hint')
        .getByText(/Sent as a \d+ × \d+ pixel copy\./)
        .waitFor();
    }
    const posts = writes.filter((request) => request.method() === 'POST');
    for (const post of posts) assert.equal(post.headers()['content-type'], 'image/jpeg');
    assert.equal(posts.length, 2);
  },
);

/** A DataTransfer with a file, as dropping and pasting have it. */
function transfer(page: Page, { name, mimeType, buffer }: { name: string; mimeType: string; buffer: Buffer }) {
  return page.evaluateHandle(
    ({ name, type, base64 }) => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      data.items.add(new File([bytes], name, { type }));
      return data;
    },
    { name, type: mimeType, base64: buffer.toString('base64') },
  );
}

browserTest('an image dropped or pasted anywhere is the one to animate', {}, async ({ page }) => {
  await settled(page);
  const dataTransfer = await transfer(page, await file('dropped.jpg', 800, 450));
  await page.locator('#stage').dispatchEvent('dragover', { dataTransfer });
  await page.locator('#stage').dispatchEvent('drop', { dataTransfer });
  await uploaded(page);
  assert.ok(await page.getByRole('radio', { name: 'Animate', exact: true }).isChecked(), 'the model that takes it');
  await page.getByRole('img', { name: 'dropped.jpg' }).waitFor();
  const clipboardData = await transfer(page, await file('pasted.png', 800, 450, 'png'));
  await page.evaluate(
    (data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })),
    clipboardData,
  );
  await page.getByRole('img', { name: 'pasted.png' }).waitFor();
  await uploaded(page);
});

browserTest('an image that the server has lost is uploaded again when it is needed', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await chooseAnimate(page);
  const { sideMin, ratioMax } = SOURCE_BOUNDS;
  await choose(page, await file('sun.jpg', Math.floor(sideMin * ratioMax), sideMin));
  await uploaded(page);
  const [stored] = await callStorage(page, 'list', 'POST', { prefix: await accountOf(page) });
  await callStorage(page, '', 'DELETE', { prefixes: [`${await accountOf(page)}/${stored?.name}`] });
  const before = writes.length;
  await describeVideo(page, 'It was lost');
  await press(page);
  await stageIs(page, 'running');
  const [refused, again, taken] = namesOf(writes.slice(before));
  assert.deepEqual([refused, again, taken], ['POST generate-video', 'POST object/user_uploads', 'POST generate-video']);
  assert.equal((await asGuest(page, 'get-user-credits')).credits_remaining, 10 - PRICE);
});

browserTest(
  'a generation waits for an image that is being uploaded; an upload that fails is sent again',
  {},
  async (visit) => {
    const { page } = visit;
    const writes = watchWrites(page);
    await chooseAnimate(page);
    const error = { code: 'ERR_4008', message: 'There is no room for it just now.', details: {} };
    await page.route('**/object/user_uploads/**', (route) => route.fulfill({ status: 409, json: { error } }));
    await choose(page, await file('sun.jpg', 1280, 720));
    await page.locator('#image-refused').getByText(error.message).waitFor();
    await page.unroute('**/object/user_uploads/**');
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    await page.route('**/object/user_uploads/**', async (route) => {
      await held;
      await route.continue();
    });
    await describeVideo(page, 'The sun goes down');
    await press(page);
    await page.locator('#generate').getByText('Uploading the image…').waitFor();
    await page.locator('#prompt').press('Control+Enter');
    release();
    await stageIs(page, 'running');
    assert.deepEqual(namesOf(writes).slice(1), ['POST object/user_uploads', 'POST generate-video']);
    assert.equal((await asGuest(page, 'get-user-credits')).credits_remaining, 10 - PRICE);
  },
);

browserTest(
  'axe finds nothing serious from the empty field to the image, in the light and the dark theme',
  NO_MOTION,
  async ({ page }) => {
    await chooseAnimate(page);
    await assertAccessible(page, 'no image yet');
    await choose(page, TEXT);
    await page.locator('#image-error').filter({ visible: true }).waitFor();
    await assertAccessible(page, 'an unusable file');
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    await page.route('**/object/user_uploads/**', async (route) => {
      await held;
      await route.continue();
    });
    await choose(page, await file('sun.jpg', 1280, 720));
    await page.locator('.frame progress').waitFor();
    await assertAccessible(page, 'uploading');
    release();
    await uploaded(page);
    await assertAccessible(page, 'chosen');
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertAccessible(page, 'chosen, dark theme');
  },
);

browserTest(
  'axe finds nothing serious on a phone, and nothing is wider than its screen',
  { ...NO_MOTION, ...PHONE },
  async ({ page }) => {
    await chooseAnimate(page);
    await page.getByText('from your photos or your camera').waitFor();
    await assertAccessible(page, 'no image yet');
    await choose(page, await file('sun.jpg', 1280, 720));
    await uploaded(page);
    await assertAccessible(page, 'chosen');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);
  },
);
