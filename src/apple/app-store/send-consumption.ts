import { type ApiOptions, callApi, unreachable } from './call.ts';
import type { AppStore } from './port.ts';

/** See `AppStore`. Version 2 of the endpoint: it has these five keys and no other. */
export async function sendConsumption(
  ...[input, signal, api]: [...Parameters<AppStore['sendConsumption']>, ApiOptions]
): ReturnType<AppStore['sendConsumption']> {
  const { environment, transactionId, deliveryStatus, sampleContentProvided, consumptionPercentage } = input;
  const body = {
    // Without consent nothing is sent at all.
    customerConsented: true,
    deliveryStatus,
    sampleContentProvided,
    consumptionPercentage,
    ...(input.refundPreference === null ? {} : { refundPreference: input.refundPreference }),
  };
  const path = `/inApps/v2/transactions/consumption/${encodeURIComponent(transactionId)}`;
  const reply = await callApi({ environment, method: 'PUT', path, body, isRead: false }, api, signal);
  if (reply.outcome === 'error') return { outcome: 'declined', cause: `answered ${reply.status} (${reply.code})` };
  if (reply.outcome !== 'answer') return reply;
  // Apple confirms it with nothing; a page instead comes from a proxy.
  return reply.text.trimStart().startsWith('<') ? unreachable('answered with a page') : { outcome: 'sent' };
}
