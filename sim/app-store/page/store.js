// The page of the simulated App Store: developers see what was bought here, and act for customers and for Apple.
import { byId, callsBelow, createAct, element, onSubmit, timeOf, told } from './panel.js';

const control = callsBelow('store/control');
const act = createAct(refresh);

/** Newest first; more would hide the rest of the page. */
const BOUGHT_SHOWN = 20;
const LINES_SHOWN = 10;

const PLANS = {
  lose: [{ isLost: true }, 'The next notification gets lost. Apple’s history has it.'],
  double: [{ copies: 2 }, 'The next notification arrives twice.'],
  delay: [{ delayMs: 10_000 }, 'The next notification comes 10 seconds late.'],
};
const FAULTS = {
  fail: [{ reply: { status: 503, text: 'Service Unavailable' } }, 'Apple answers the next call with 503.'],
  garbage: [{ reply: { status: 200, text: '<html>' } }, 'Apple answers the next call with a web page.'],
  hang: [{ hangMs: 30_000 }, 'Apple answers the next call after 30 seconds.'],
};

const percent = (milliunits) => `${milliunits / 1000} %`;
const said = (what, { statuses }) => told(what, statuses, 'No notification was sent yet.');

function stateOf({ revocation }) {
  if (!revocation) return { text: 'Paid', className: 'state' };
  if (revocation.type === 'FAMILY_REVOKE') return { text: 'Revoked', className: 'state refunded' };
  const text = revocation.type === 'REFUND_FULL' ? 'Refunded' : `${percent(revocation.percentage)} refunded`;
  return { text, className: 'state refunded' };
}

/** Each with what it says, where it is sent, with which body, and how it went. */
function buttonsOf({ revocation }) {
  const refunded = revocation?.percentage ?? 0;
  const isRefund = revocation?.type.startsWith('REFUND_');
  return [
    ...(refunded < 100_000 ? [['Refund all', 'refund', {}, 'Refunded']] : []),
    ...(refunded < 50_000 ? [['Refund half', 'refund', { percentage: 50 }, 'Half refunded']] : []),
    ...(isRefund ? [['Reverse refund', 'reverse-refund', {}, 'Refund reversed']] : []),
    ...(isRefund ? [] : [['Decline refund', 'decline-refund', {}, 'Refund declined']]),
    ['Ask for consumption', 'consumption-request', {}, 'Asked for consumption'],
  ];
}

function card(transaction) {
  const { transactionId, productId, quantity, appAccountToken, environment, purchasedAtMs } = transaction;
  const { text, className } = stateOf(transaction);
  const buttons = buttonsOf(transaction).map(([label, path, body, what]) => {
    const button = element('button', { type: 'button', textContent: label, id: `${path}-${transactionId}-${label}` });
    button.addEventListener('click', () =>
      act(async () => said(what, await control(`transactions/${transactionId}/${path}`, body))),
    );
    return button;
  });
  return element(
    'li',
    { className: 'card' },
    element(
      'div',
      { className: 'head' },
      element('b', { textContent: quantity > 1 ? `${quantity} × ${productId}` : productId }),
      element('span', { className, textContent: text }),
    ),
    element(
      'div',
      { className: 'about' },
      element('span', { textContent: `${environment} · ${timeOf(purchasedAtMs)}` }),
      element('span', { textContent: `transaction ${transactionId}` }),
      element('span', { textContent: appAccountToken ? `for account ${appAccountToken}` : 'for no named account' }),
    ),
    element('div', { className: 'buttons' }, ...buttons),
  );
}

function notificationLine({ type, transactionId, attempts, signedDate }) {
  const last = attempts.at(-1);
  const became = last ? (last.status ?? last.sendAttemptResult) : 'not sent yet';
  const about = [timeOf(signedDate), ...(transactionId ? [transactionId] : []), became];
  if (attempts.length > 1) about.push(`${attempts.length} attempts`);
  return element('li', {}, element('b', { textContent: type }), ` · ${about.join(' · ')}`);
}

function consumptionLine({ transactionId, deliveryStatus, consumptionPercentage, refundPreference }) {
  const about = [
    ...(consumptionPercentage === undefined ? [] : [`${percent(consumptionPercentage)} consumed`]),
    deliveryStatus,
    ...(refundPreference ? [refundPreference] : []),
  ];
  return element('li', {}, element('b', { textContent: transactionId }), ` · ${about.join(' · ')}`);
}

function showLines(id, entries, lineOf) {
  const lines = entries.slice(-LINES_SHOWN).reverse().map(lineOf);
  byId(id).replaceChildren(...(lines.length > 0 ? lines : [element('li', { textContent: 'None yet.' })]));
}

async function refresh() {
  const [transactions, notifications, consumption] = await Promise.all(
    ['transactions', 'notifications', 'consumption'].map((path) => control(path)),
  );
  const bought = transactions.sort((a, b) => b.purchasedAtMs - a.purchasedAtMs).slice(0, BOUGHT_SHOWN);
  const none = element('li', {
    className: 'card empty',
    textContent: 'Nothing yet. Buy credits in the app, or below.',
  });
  byId('bought').replaceChildren(...(bought.length > 0 ? bought.map(card) : [none]));
  showLines('notifications', notifications, notificationLine);
  showLines('consumption', consumption, consumptionLine);
}

onSubmit('buy', (form) =>
  act(async () => {
    const purchase = {
      productId: byId('product').value,
      appAccountToken: byId('account').value.trim() || null,
      quantity: byId('quantity').valueAsNumber,
      environment: byId('environment').value,
    };
    const bought = await control('transactions', purchase);
    form.reset();
    return said('Bought', bought);
  }),
);
byId('test').addEventListener('click', () =>
  act(async () => said('Test sent', await control('notifications/test', {}))),
);
for (const [attribute, choices, path, clear, usual] of [
  ['plan', PLANS, 'deliveries', 'clear-plans', 'The next notification comes as usual.'],
  ['fail', FAULTS, 'faults', 'clear-faults', 'Apple answers as usual.'],
]) {
  for (const button of document.querySelectorAll(`[data-${attribute}]`)) {
    const [body, text] = choices[button.dataset[attribute]];
    button.addEventListener('click', () =>
      act(async () => {
        await control(path, body);
        return text;
      }),
    );
  }
  byId(clear).addEventListener('click', () =>
    act(async () => {
      await control(path, undefined, 'DELETE');
      return usual;
    }),
  );
}

refresh().catch((error) => {
  byId('bought').replaceChildren();
  byId('error').textContent = error.message;
  byId('error').hidden = false;
});
