import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildWeb } from '../../scripts/build-web.ts';
import { addDocs } from '../../src/entry/docs-page.ts';
import { ERROR_STATUS } from '../../src/kernel/errors.ts';
import { messageFor } from '../../src/kernel/messages/index.ts';
import { declareRoutes } from './routes.ts';

const api = declareRoutes();
addDocs(api, { simulatesDeviceCheck: true });
before(async () => {
  await buildWeb();
});

describe('the reference at /docs', () => {
  test('has a content security policy that allows its own script files alone, neither inline nor evaluated scripts', async () => {
    const page = await api.request('/docs');
    assert.equal(page.status, 200);
    const policy = page.headers.get('Content-Security-Policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe|unsafe-eval|https?:|\*/);
    const html = await page.text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\son\w+=|(?:src|href)="https?:/);
    const files = [...html.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(([, path = '']) => path);
    assert.ok(files.length >= 5, files.join(' '));
    for (const path of files) assert.equal((await api.request(path)).status, 200, path);
  });

  test('serves the reference UI compressed, and with its licence', async () => {
    const script = await api.request('/docs/swagger-ui-bundle.js', { headers: { 'Accept-Encoding': 'br, gzip' } });
    assert.equal(script.headers.get('Content-Encoding'), 'br');
    assert.ok((await script.arrayBuffer()).byteLength < 400_000);
    assert.match(await (await api.request('/docs/LICENSE')).text(), /Apache License/);
  });

  test('has settings that say whether a visitor may become a guest, and every error in the requested language', async () => {
    type Settings = {
      languages: string[];
      simulates_device_check: boolean;
      errors: { code: string; message: string; statuses: number[] }[];
    };
    const settings: Settings = await (await api.request('/docs/settings.json?language=es')).json();
    assert.equal(settings.simulates_device_check, true);
    assert.deepEqual(settings.languages, ['en', 'tr', 'es']);
    assert.deepEqual(
      settings.errors.map(({ code }) => code),
      Object.keys(ERROR_STATUS),
    );
    const forbidden = settings.errors.find(({ code }) => code === 'ERR_4005');
    assert.deepEqual(forbidden?.statuses, [401, 403]);
    assert.equal(forbidden?.message, messageFor('ERR_4005', 'es'));
  });

  test('serves the document in every language, and in English for an unknown one', async () => {
    const documentIn = async (language: string) =>
      (await api.request(`/docs/openapi.json?language=${language}`)).text();
    assert.match(await documentIn('es'), /Necesitas 4 créditos/);
    const original = await (await api.request('/openapi.json')).json();
    // The page calls only the server that it came from, under whatever name.
    const servers = [{ url: '/', description: 'This server' }];
    for (const language of ['en', 'xx', '__proto__'])
      assert.deepEqual(JSON.parse(await documentIn(language)), { ...original, servers });
  });

  test('serves its own folder and no file above it', async () => {
    for (const path of [
      '/docs/../.stamp',
      '/docs/%2e%2e/.stamp',
      '/docs/..%2f..%2f..%2fpackage.json',
      '/docs/nothing.js',
    ]) {
      assert.equal((await api.request(path)).status, 404, path);
    }
  });
});
