import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumPath, isBrowserRequired, NO_CHROMIUM } from '../support/chromium.ts';

const skip = !chromiumPath && !isBrowserRequired && NO_CHROMIUM;

test('Chromium is installed for the browser tests', { skip }, () => {
  assert.ok(chromiumPath, NO_CHROMIUM);
});
