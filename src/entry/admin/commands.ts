import { audit } from './audit.ts';
import type { Command } from './command.ts';
import { explainBalance } from './explain-balance.ts';
import { healPurchases } from './heal-purchases.ts';
import { maintenance } from './maintenance.ts';
import { replayNotification } from './replay-notification.ts';

/** In the order in which `--help` lists them. */
export const COMMANDS: Command[] = [audit, explainBalance, healPurchases, maintenance, replayNotification];
