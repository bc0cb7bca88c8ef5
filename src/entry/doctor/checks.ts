import { appStore } from './app-store.ts';
import { appleId } from './apple-id.ts';
import { appleNames } from './apple-names.ts';
import { bucket } from './bucket.ts';
import type { Check } from './check.ts';
import { dataFolder } from './data-dir.ts';
import { database } from './database.ts';
import { deviceCheck } from './device-check.ts';
import { environment } from './environment.ts';
import { port } from './port.ts';
import { providers } from './providers.ts';
import { publicUrl } from './public-url.ts';
import { receivers } from './receivers.ts';
import { settings } from './settings.ts';
import { stripe } from './stripe.ts';
import { supabase } from './supabase.ts';
import { telegram } from './telegram.ts';

/** In the order in which their findings are listed. They run at the same time. */
export const CHECKS: Check[] = [
  environment,
  settings,
  dataFolder,
  database,
  bucket,
  port,
  publicUrl,
  providers,
  deviceCheck,
  appStore,
  appleId,
  appleNames,
  stripe,
  telegram,
  receivers,
  supabase,
];
