import { z } from 'zod';
import type { StripeAccess } from '../../app/vendor-connections.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const KEY = 'STRIPE_SECRET_KEY';
const SECRET = 'STRIPE_WEBHOOK_SECRET';
/** It does not exist: an accepted key is answered 404. */
const NO_PAYMENT = '/v1/payment_intents/pi_npm_run_doctor';
const PATH = '/functions/v1/stripe-webhook';
const Endpoints = z.object({ data: z.array(z.object({ url: z.string(), status: z.string() })) });

export const stripe: Check = {
  title: 'Stripe',
  variable: KEY,
  async run(tools) {
    const access = tools.connections.stripe;
    if (!access) return [];
    const forms = formsOf(access, tools);
    const key = await tryKey(access);
    const isAccepted = key.every(({ level }) => level === 'fine');
    return [...forms, ...key, ...(isAccepted ? await webhookEndpoint(access, tools) : [])];
  },
};

/** Outside development the same is refused with the environment. */
function formsOf({ secretKey, webhookSecret }: StripeAccess, { config }: DoctorTools): Finding[] {
  const { environment } = config.settings;
  const findings: Finding[] = [];
  if (environment === 'development' && !webhookSecret.startsWith('whsec_'))
    findings.push(
      wrong(SECRET, 'is no signing secret', 'Copy the one of the webhook endpoint, or of `stripe listen`: whsec_….'),
    );
  if (environment !== 'production' && /^(?:sk|rk)_live_/.test(secretKey))
    findings.push(
      warning(KEY, `is a live key in ${environment}: its checkouts take real money`, 'Use a test key: sk_test_….'),
    );
  return findings;
}

function get({ baseUrl, secretKey, fetch }: StripeAccess, path: string): Promise<Response> {
  return fetch(`${baseUrl}${path}`, { headers: { Authorization: `Bearer ${secretKey}` }, redirect: 'manual' });
}

async function tryKey(access: StripeAccess): Promise<Finding[]> {
  const name = 'STRIPE_API_URL';
  try {
    const response = await get(access, NO_PAYMENT);
    const { status } = response;
    const isPage = /^text\/html/.test(response.headers.get('content-type') ?? '');
    await response.body?.cancel();
    if (status === 401)
      return [
        wrong(KEY, 'is refused by Stripe (answered 401)', 'Copy the whole key from the dashboard, or make a new one.'),
      ];
    if (status === 403)
      return [
        wrong(
          KEY,
          'may not read payments (answered 403)',
          'Give the restricted key the rights of docs/guides/web-shop.md.',
        ),
      ];
    if ((status === 404 || status === 200) && !isPage) return [fine(KEY, 'is accepted by Stripe')];
    return [unreachable(name, access.baseUrl, `it answers ${status}`)];
  } catch (error) {
    return [unreachable(name, access.baseUrl, describeFailure(error))];
  }
}

/** A restricted key may not be allowed to see them: then nothing is known. */
async function webhookEndpoint(access: StripeAccess, { config }: DoctorTools): Promise<Finding[]> {
  const { publicUrl } = config.settings.server;
  if (!publicUrl) return [];
  const body: unknown = await get(access, '/v1/webhook_endpoints?limit=100')
    .then((response) => (response.status === 200 ? response.json() : null))
    .catch(() => null);
  const endpoints = Endpoints.safeParse(body).data?.data;
  if (!endpoints) return [];
  const url = `${publicUrl}${PATH}`;
  const ours = endpoints.filter((endpoint) => endpoint.url === url);
  if (ours.some(({ status }) => status === 'enabled')) return [fine(SECRET, 'has an endpoint at Stripe')];
  const problem =
    ours.length > 0
      ? `belongs to an endpoint that Stripe has switched off: ${url}`
      : `has no endpoint at Stripe: none calls ${url}`;
  return [
    wrong(
      SECRET,
      problem,
      'Make or enable it in the dashboard, and copy its signing secret: paid checkouts give no credits without it.',
    ),
  ];
}
