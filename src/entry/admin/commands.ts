import { createAdministrator, linkAdministrator, revokeAdministrator, tokenOfAdministrator } from './administrators.ts';
import { audit } from './audit.ts';
import type { Command } from './command.ts';
import { explainBalance } from './explain-balance.ts';
import { healPurchases } from './heal-purchases.ts';
import { maintenance } from './maintenance.ts';
import { refund } from './refund.ts';
import { replayNotification } from './replay-notification.ts';

/** In the order in which `--help` lists them. */
export const COMMANDS: Command[] = [
  createAdministrator,
  linkAdministrator,
  tokenOfAdministrator,
  revokeAdministrator,
  refund,
  audit,
  explainBalance,
  healPurchases,
  maintenance,
  replayNotification,
];
