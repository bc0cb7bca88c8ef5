/** The Chromium of this machine, and how it is started. */
import { existsSync } from 'node:fs';

export const NO_CHROMIUM =
  'no Chromium is found: apt-get install -y --no-install-recommends chromium, or name one by CHROMIUM_PATH';

/** Debian's is the same engine without a window's furniture, and takes a fifth less. */
const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];
/** Pages behind the address bar, which nobody sees here: they cost each window more than the page that is tested. */
const UNSEEN = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'];

/** The last such list replaces the others: what Playwright switches off stays off by standing here too. */
const PLAYWRIGHTS = [
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'TcpPortRandomizationWin',
  'ThirdPartyStoragePartitioning',
];

export const BROWSER_ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${[...PLAYWRIGHTS, ...UNSEEN].join(',')}`,
];
/** Where Chromium is; undefined where there is none. */
export const chromiumPath = process.env.CHROMIUM_PATH ?? PLACES.find((place) => existsSync(place));

/** Whether a missing Chromium is a failure. */
export const isBrowserRequired = process.env.REQUIRE_BROWSER === '1';
