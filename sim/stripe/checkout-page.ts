/** The page at which a customer of the simulated Stripe pays. It needs no script. */
import { readFile } from 'node:fs/promises';
import type { Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { SimulatorEnv } from '../drop-connection.ts';
import type { Customers } from './customers.ts';
import { StripeFault } from './errors.ts';
import type { Session, Store } from './store.ts';

type Parts = { store: Store; customers: Customers };

/** Own files only, in no frame. The answer to a form leads to the shop, so its targets are not limited. */
const PAGE_CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** `/c/pay/<session>`: Pay, Pay by bank transfer, Decline, Cancel. */
export function addCheckoutPage(app: Hono<SimulatorEnv>, { store, customers }: Parts): void {
  const guarded = (handle: (c: Context<SimulatorEnv>, id: string) => Promise<Response>) =>
    async function answer(c: Context<SimulatorEnv>): Promise<Response> {
      c.header('Content-Security-Policy', PAGE_CSP);
      try {
        return await handle(c, c.req.param('id') ?? '');
      } catch (error) {
        if (!(error instanceof StripeFault)) throw error;
        return c.html(messagePage('Nothing to pay here', error.message), error.status as 404);
      }
    };

  app.get('/c/checkout.css', async (c) => {
    c.header('Content-Type', 'text/css; charset=utf-8');
    return c.body(await readFile(new URL('page/checkout.css', import.meta.url), 'utf8'));
  });
  app.get(
    '/c/pay/:id',
    guarded(async (c, id) => c.html(payPage(store.session(id), ''))),
  );
  app.post(
    '/c/pay/:id/:action',
    guarded(async (c, id) => {
      const { success_url: success, cancel_url: cancel } = store.session(id).params;
      switch (c.req.param('action')) {
        case 'pay':
          await customers.pay(id);
          return c.redirect(success, 303);
        case 'transfer':
          await customers.pay(id, { isDelayed: true });
          return c.redirect(success, 303);
        case 'decline':
          await customers.decline(id);
          return c.html(payPage(store.session(id), 'The card was declined.'));
        case 'cancel':
          return c.redirect(cancel ?? success, 303);
        default:
          return c.notFound();
      }
    }),
  );
}

function payPage(session: Session, problem: string) {
  const { id, params, amount, currency } = session;
  if (session.status !== 'open') throw new StripeFault(400, 'This checkout session is not open any more.');
  const action = (name: string) => `/c/pay/${id}/${name}`;
  const items = params.line_items.map(
    ({ quantity, price_data }) => html`<li>${quantity} × ${price_data.product_data.name}</li>`,
  );
  return page(
    'Simulated checkout',
    html`<ul>${items}</ul>
      <p class="total">${amount} <small>(smallest unit of ${currency})</small></p>
      ${problem ? html`<p class="error" role="alert">${problem}</p>` : ''}
      <form method="post" action="${action('pay')}"><button class="main">Pay</button></form>
      <form method="post" action="${action('transfer')}"><button>Pay by bank transfer</button></form>
      <form method="post" action="${action('decline')}"><button>Pay with a card that is declined</button></form>
      <form method="post" action="${action('cancel')}"><button>Cancel</button></form>`,
  );
}

function messagePage(title: string, message: string) {
  return page(title, html`<p>${message}</p>`);
}

function page(title: string, content: ReturnType<typeof html>) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="stylesheet" href="/c/checkout.css">
  </head>
  <body>
    <main>
      <p class="badge">Simulated · no money moves</p>
      <h1>${title}</h1>
      ${content}
    </main>
  </body>
</html>
`;
}
