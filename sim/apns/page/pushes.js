// The page of the simulated push service: developers see what devices would show, and act for Apple.
import { byId, callsBelow, createAct, element, timeOf } from './panel.js';

const pushes = callsBelow('pushes');
const act = createAct(refresh);

/** Newest first; more would hide the rest of the page. */
const SHOWN = 20;

const PLANS = {
  gone: [() => ({ status: 410, reason: 'Unregistered', timestamp: Date.now() }), 'The next push finds no app.'],
  busy: [() => ({ status: 429, reason: 'TooManyRequests' }), 'The next push is one too many.'],
  fail: [() => ({ status: 503, reason: 'ServiceUnavailable' }), 'Apple answers the next push with 503.'],
  hang: [() => ({ silence: 'hang' }), 'The next push gets no answer.'],
};

function card({ token, environment, payload, collapse_id, received_at, copies }) {
  const { title = '', body = '' } = payload.aps?.alert ?? {};
  return element(
    'li',
    { className: 'card' },
    element(
      'div',
      { className: 'head' },
      element('b', { textContent: title }),
      element('span', { className: 'state', textContent: copies > 1 ? `${copies} copies, shown once` : '' }),
    ),
    element('span', { textContent: body }),
    element(
      'div',
      { className: 'about' },
      element('span', { textContent: `${environment} · ${timeOf(received_at)}` }),
      element('span', { textContent: `device ${token.slice(0, 16)}…` }),
      element('span', { textContent: `video ${collapse_id}` }),
    ),
  );
}

async function refresh() {
  const { pushes: received } = await pushes('received');
  const none = element('li', {
    className: 'card empty',
    textContent: 'Nothing yet. Register a device with register-push-token, and make a video.',
  });
  byId('received').replaceChildren(...(received.length > 0 ? received.slice(0, SHOWN).map(card) : [none]));
}

byId('reload').addEventListener('click', () => act(async () => ''));
for (const button of document.querySelectorAll('[data-plan]')) {
  const [bodyOf, text] = PLANS[button.dataset.plan];
  button.addEventListener('click', () =>
    act(async () => {
      await pushes('plans', bodyOf());
      return text;
    }),
  );
}
byId('clear').addEventListener('click', () =>
  act(async () => {
    await pushes('plans', undefined, 'DELETE');
    return 'Apple answers as usual.';
  }),
);
byId('go-away').addEventListener('click', () =>
  act(async () => {
    await pushes('go-away', {});
    return 'The next push comes on a new connection.';
  }),
);

refresh().catch((error) => {
  byId('received').replaceChildren();
  byId('error').textContent = error.message;
  byId('error').hidden = false;
});
