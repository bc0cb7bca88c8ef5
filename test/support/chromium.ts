/** The Chromium of this machine, and its command-line arguments. */
import { existsSync } from 'node:fs';

export const NO_CHROMIUM =
  'Chromium is not found: apt-get install -y --no-install-recommends chromium, or set CHROMIUM_PATH';

/** Debian's headless shell is the same engine without the user interface, and costs a fifth less. */
const PATHS = [
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
/** Pages of the address bar, which no test shows: they cost each window more than the page that is tested. */
const ADDRESS_BAR_PAGES = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'];

/** Chromium reads only the last --disable-features, so the features that Playwright switches off are repeated here. */
const OFF_IN_PLAYWRIGHT = [
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
  `--disable-features=${[...OFF_IN_PLAYWRIGHT, ...ADDRESS_BAR_PAGES].join(',')}`,
];
/** The path of Chromium; undefined if it is not installed. */
export const chromiumPath = process.env.CHROMIUM_PATH ?? PATHS.find((path) => existsSync(path));

/** Whether a missing Chromium is a failure. */
export const isBrowserRequired = process.env.REQUIRE_BROWSER === '1';
