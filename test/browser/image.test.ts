/** A picture is chosen, seen as it will be shown, uploaded and animated; a wrong one is refused before anything is paid. */
import assert from 'node:assert/strict';
import type { Page, Request } from 'playwright-core';
import { SOURCE_BOUNDS } from '../../src/features/generations/source-image.ts';
import { browserTests } from '../support/browser.ts';
import { drawNoise, drawPicture, type PictureFormat } from '../support/images.ts';
import { isSound } from './sound.ts';
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
const CALM = { reducedMotion: 'reduce' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** The shortest video of the model Animate. */
const PRICE = 4;

/** The page with the model that animates pictures. */
async function animating(page: Page): Promise<void> {
  await settled(page);
  await page.getByRole('radio', { name: 'Animate', exact: true }).check();
  await page.locator('#image').waitFor({ state: 'attached' });
}

async function file(name: string, width: number, height: number, format: PictureFormat = 'jpeg') {
  return { name, mimeType: `image/${format}`, buffer: await drawPicture(width, height, { format }) };
}

const TEXT = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture at all') };

async function choose(page: Page, chosen: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  await page.locator('#image').setInputFiles(chosen);
}

/** Resolves once the picture is on the server. */
async function uploaded(page: Page): Promise<void> {
  await page.locator('.preview canvas').waitFor();
  await page.locator('.frame progress').waitFor({ state: 'detached' });
  assert.equal(await page.locator('#image-refused').isVisible(), false);
}

/** The requests that could change something, from now on. */
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

/** Calls the storage's API as the page's guest, beside the page. */
function inStorage(page: Page, verb: string, method: string, body: object): Promise<{ name: string }[]> {
  return page.evaluate(
    async ([path, way, text]) => {
      const { access_token } = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
      const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' };
      return (await fetch(path, { method: way, headers, body: text })).json();
    },
    [`/storage/v1/object/${verb ? `${verb}/` : ''}user_uploads`, method, JSON.stringify(body)] as const,
  );
}

/** Width by height of what is seen of the picture. */
async function shapeSeen(page: Page): Promise<number> {
  const box = await page.locator('.frame').boundingBox();
  return (box?.width ?? 0) / (box?.height ?? 1);
}

browserTest(
  'a chosen picture is shown as the video will be, uploaded, and animated for its price',
  {},
  async ({ page }) => {
    await animating(page);
    await choose(page, await file('lighthouse.jpg', 900, 1400));
    await uploaded(page);
    assert.ok(await page.getByRole('radio', { name: '9:16' }).isChecked(), 'the shape that fits it best');
    assert.ok(Math.abs((await shapeSeen(page)) - 9 / 16) < 0.02);
    await page.getByText('The video will show this part of the image.').waitFor();
    await page.getByRole('radio', { name: '16:9' }).check();
    assert.ok(Math.abs((await shapeSeen(page)) - 16 / 9) < 0.05);
    await page.getByRole('button', { name: 'A breeze' }).click();
    assert.equal(await page.locator('#generate .price').textContent(), `${PRICE} credits`);
    await press(page);
    await playing(page);
    assert.deepEqual(await ledger(page), [`-${PRICE}`, '+10']);
  },
);

browserTest('make changes: the picture is there again, also after a reload', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await animating(page);
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

browserTest('without a picture a press sends nothing and leads to where one is chosen', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await animating(page);
  await describeVideo(page, 'It moves');
  assert.equal(await page.locator('#reason').textContent(), 'Choose an image to animate.');
  // Keys reach the page by another way than the word that choosers are to be told: it must have come before the press.
  const chooser = page.waitForEvent('filechooser');
  await page.locator('#prompt').press('Control+Enter');
  await focusIsAt(page, 'image');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(await file('sun.webp', 800, 450, 'webp'));
  await uploaded(page);
  // Removed by the keyboard, it leaves the focus where another is chosen.
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
    `a wrong file is refused with its sentence, and nothing is sent (${locale})`,
    { locale },
    async ({ page }) => {
      const writes = watchWrites(page);
      await animating(page);
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
  'what is too large, or of another kind, is sent as a copy that fits, and the page says so',
  {},
  async (visit) => {
    const { page } = visit;
    const writes = watchWrites(page);
    await animating(page);
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

/** A file on its way by mouse or clipboard. */
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

browserTest('a picture dropped or pasted anywhere is the one to animate', {}, async ({ page }) => {
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

browserTest('a picture that the server has lost is uploaded again by the press that needs it', {}, async ({ page }) => {
  const writes = watchWrites(page);
  await animating(page);
  const { sideMin, ratioMax } = SOURCE_BOUNDS;
  await choose(page, await file('sun.jpg', Math.floor(sideMin * ratioMax), sideMin));
  await uploaded(page);
  const [stored] = await inStorage(page, 'list', 'POST', { prefix: await accountOf(page) });
  await inStorage(page, '', 'DELETE', { prefixes: [`${await accountOf(page)}/${stored?.name}`] });
  const before = writes.length;
  await describeVideo(page, 'It was lost');
  await press(page);
  await stageIs(page, 'running');
  const [refused, again, taken] = namesOf(writes.slice(before));
  assert.deepEqual([refused, again, taken], ['POST generate-video', 'POST object/user_uploads', 'POST generate-video']);
  assert.equal((await asGuest(page, 'get-user-credits')).credits_remaining, 10 - PRICE);
});

browserTest(
  'a press while the picture is on its way waits for it; one that does not arrive is sent again',
  {},
  async (visit) => {
    const { page } = visit;
    const writes = watchWrites(page);
    await animating(page);
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
  'axe finds nothing serious from the empty place to the picture, by day and by night',
  CALM,
  async ({ page }) => {
    await animating(page);
    await isSound(page, 'no picture yet');
    await choose(page, TEXT);
    await page.locator('#image-error').filter({ visible: true }).waitFor();
    await isSound(page, 'a wrong file');
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    await page.route('**/object/user_uploads/**', async (route) => {
      await held;
      await route.continue();
    });
    await choose(page, await file('sun.jpg', 1280, 720));
    await page.locator('.frame progress').waitFor();
    await isSound(page, 'on its way');
    release();
    await uploaded(page);
    await isSound(page, 'chosen');
    await page.emulateMedia({ colorScheme: 'dark' });
    await isSound(page, 'chosen, by night');
  },
);

browserTest(
  'axe finds nothing serious on a phone, and nothing is wider than it',
  { ...CALM, ...PHONE },
  async ({ page }) => {
    await animating(page);
    await page.getByText('from your photos or your camera').waitFor();
    await isSound(page, 'no picture yet');
    await choose(page, await file('sun.jpg', 1280, 720));
    await uploaded(page);
    await isSound(page, 'chosen');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);
  },
);
