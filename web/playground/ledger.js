/** Every change of the balance, read when somebody looks. */
import { getHistory } from './api.js';
import { $, make, sayError } from './dom.js';
import { listen, state } from './state.js';
import { label, language } from './strings.js';

/** @type {Transaction[]} */
let transactions = [];
let next = '';
/** The balance that the rows lead to, and the language they are in. */
let drawnFor = '';

$('ledger').addEventListener('toggle', () => load());
$('more-rows').addEventListener('click', () => load(next));
listen(() => {
  if (drawnFor !== `${state.credits} ${language()}`) load();
});

async function load(cursor = '') {
  if (!$('ledger').open || state.credits === null) return;
  drawnFor = `${state.credits} ${language()}`;
  try {
    const page = await getHistory(cursor);
    transactions = cursor ? [...transactions, ...page.transactions] : page.transactions;
    next = page.next_cursor ?? '';
    sayError($('ledger-error'), null);
    draw();
  } catch (error) {
    sayError($('ledger-error'), error);
  }
}

function draw() {
  const time = new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' });
  const change = new Intl.NumberFormat(language(), { signDisplay: 'exceptZero' });
  const rows = transactions.map((row) => {
    const cells = [
      time.format(new Date(row.created_at)),
      label(row.reason),
      change.format(row.change),
      row.balance_after,
    ];
    return make('tr', {}, ...cells.map((text) => make('td', {}, text)));
  });
  $('rows').replaceChildren(...rows);
  $('more-rows').hidden = next === '';
}
