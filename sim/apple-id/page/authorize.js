// The page of the simulated Apple: an app's window opens it to sign somebody in, and developers act on people here.
import { byId, callsBelow, createAct, element, onSubmit as onForm, timeOf, told as toldOf } from './panel.js';

const query = new URLSearchParams(location.search);
const clientId = query.get('client_id');
const nonce = query.get('nonce') || null;
const state = query.get('state');

const selected = () => people.find(({ id }) => id === selectedId);
const alive = () => people.filter(({ isDeleted }) => !isDeleted);
let people = [];
let selectedId = null;
/** Set once an answer was sent: the window may stay open, but answers once. */
let hasAnswered = false;
/** An app of this server waits for an answer. */
let isAwaited = false;

/** The window of this server that waits for an answer; null where there is none, or where it is another site's. */
function openerHere() {
  try {
    return window.opener?.location.origin === location.origin ? window.opener : null;
  } catch {
    return null;
  }
}

const control = callsBelow('control');

function answer(message) {
  if (hasAnswered) return;
  hasAnswered = true;
  openerHere()?.postMessage({ type: 'apple-sign-in', state, ...message }, location.origin);
  window.close();
  byId('purpose').textContent = 'You can close this window.';
  byId('sign-in').hidden = true;
}

function personRow({ id, name, email, isDeleted, grants }) {
  const uses = grants.some((grant) => grant.clientId === clientId && !grant.ended);
  const about = isDeleted ? 'Apple Account deleted' : `${email ?? 'no e-mail'}${uses ? ' · uses this app' : ''}`;
  const input = element('input', { type: 'radio', name: 'person', value: id, checked: id === selectedId });
  input.disabled = isDeleted;
  input.addEventListener('change', () => {
    select(id);
    show();
  });
  return element(
    'label',
    { className: 'row' },
    input,
    element('span', {}, element('b', { textContent: name }), element('small', { textContent: about })),
  );
}

function grantLine({ clientId: app, createdAtMs, hidesEmail, exchangedAtMs, ended }) {
  const ends = { app: 'tokens revoked by the app', person: 'ended by the person' };
  const parts = [
    `signed in ${timeOf(createdAtMs)}`,
    hidesEmail ? 'e-mail hidden' : 'e-mail shared',
    exchangedAtMs === null ? 'code not exchanged' : 'code exchanged',
    ...(ended ? [`${ends[ended.by]} ${timeOf(ended.atMs)}`] : []),
  ];
  return element('li', {}, element('b', { textContent: app }), `: ${parts.join(', ')}`);
}

/** Newest first; more would hide the buttons. */
const GRANTS_SHOWN = 5;

function showPerson(person) {
  byId('email').hidden = !person?.email || !isAwaited;
  byId('own-email').textContent = person?.email ?? '';
  byId('relay-email').textContent = person?.relayEmail ?? '';
  byId('panel').hidden = !person;
  if (!person) return;
  byId('panel-name').textContent = person.name;
  const lines = person.grants.slice(-GRANTS_SHOWN).reverse().map(grantLine);
  byId('grants').replaceChildren(...(lines.length > 0 ? lines : [element('li', { textContent: 'None yet.' })]));
  byId('forwarding').textContent = person.isForwarding ? 'Stop e-mail forwarding' : 'Forward e-mail again';
  byId('delete').textContent = 'Delete the Apple Account';
  delete byId('delete').dataset.armed;
}

function show() {
  const legend = byId('people').querySelector('legend');
  const hadFocus = document.activeElement?.name === 'person';
  byId('people').replaceChildren(legend, ...people.map(personRow));
  if (hadFocus) byId('people').querySelector(':checked')?.focus();
  byId('continue').disabled = !selected();
  showPerson(selected());
}

/** Chooses a person, and what they chose about their e-mail when they last signed in here. */
function select(id) {
  selectedId = id;
  const last = selected()?.grants.findLast((grant) => grant.clientId === clientId);
  byId('sign-in').elements.email.value = last && !last.hidesEmail ? 'share' : 'hide';
}

async function refresh() {
  people = await control('people');
  if (!alive().some(({ id }) => id === selectedId)) {
    const known = alive().filter(({ grants }) => grants.some((grant) => grant.clientId === clientId && !grant.ended));
    select((known.at(-1) ?? alive()[0])?.id ?? null);
  }
  show();
}

const act = createAct(refresh, () => hasAnswered);
const told = (what, { statuses }) => toldOf(what, statuses, 'No server had to be told.');

const onPerson = (path, body = {}) => control(`people/${selectedId}/${path}`, body);
const onClick = (id, work) => byId(id).addEventListener('click', () => act(work));
const onSubmit = (id, work) => onForm(id, () => act(work));

onSubmit('sign-in', async () => {
  const isHidden = !byId('email').hidden && byId('sign-in').elements.email.value === 'hide';
  const request = { personId: selectedId, clientId, nonce, hidesEmail: isHidden };
  const { identityToken, authorizationCode } = await control('authorizations', request);
  answer({ identity_token: identityToken, authorization_code: authorizationCode });
});
byId('cancel').addEventListener('click', () => answer({ error: 'popup_closed_by_user' }));

onSubmit('new-person', async () => {
  const person = { name: byId('new-name').value, email: byId('new-email').value || null };
  const created = await control('people', person);
  people.push({ ...created, grants: [] });
  select(created.id);
  byId('new-person').reset();
  byId('new').open = false;
  return `${person.name} has an Apple Account now.`;
});

onClick('withdraw', async () =>
  told('Consent withdrawn', await onPerson('withdraw-consent', clientId ? { clientId } : {})),
);
onClick('forwarding', async () => {
  const isForwarding = !selected().isForwarding;
  const outcome = await onPerson('forwarding', { isForwarding });
  return told(isForwarding ? 'E-mail is forwarded again' : 'E-mail is not forwarded any more', outcome);
});
byId('delete').addEventListener('click', ({ currentTarget: button }) => {
  if (button.dataset.armed) return act(async () => told('Apple Account deleted', await onPerson('delete')));
  button.dataset.armed = 'yes';
  button.textContent = 'Really delete it?';
});
onSubmit('notify', async () => {
  const type = byId('type').value;
  const times = byId('twice').checked ? 2 : 1;
  return told(`${type} sent`, await onPerson('notifications', { type, times, ...(clientId ? { clientId } : {}) }));
});
for (const button of document.querySelectorAll('[data-fail]')) {
  const on = button.dataset.fail;
  button.addEventListener('click', () =>
    act(async () => {
      await control('faults', { on, reply: { status: 503, text: 'Service Unavailable' } });
      return `Apple answers the next ${on} call with 503.`;
    }),
  );
}
onClick('clear-faults', async () => {
  await control('faults', undefined, 'DELETE');
  return 'Apple answers as usual.';
});

/** Why nobody can sign in here; null: they can. */
function obstacle(clients) {
  if (clientId === null) return 'Apps open this page to sign in. Act for a person below.';
  if (!clients.some((client) => client.clientId === clientId))
    return `invalid_client: no app is registered as “${clientId}”.`;
  if (!window.opener) return 'No app waits for this page any more. Act for a person below.';
  return openerHere() ? null : 'This page was opened by another website, which gets no answer.';
}

try {
  const [clients] = await Promise.all([control('clients'), refresh()]);
  const why = obstacle(clients);
  isAwaited = why === null;
  const isUnknown = why?.startsWith('invalid_client') ?? false;
  byId('purpose').textContent = why && !isUnknown ? why : `Sign in to ${clientId}`;
  byId('error').textContent = isUnknown ? why : '';
  byId('error').hidden = !isUnknown;
  byId('choices').hidden = !isAwaited;
  byId('people').querySelector('legend').textContent = isAwaited ? 'Who are you?' : 'People';
  byId('panel').open = !isAwaited;
  show();
} catch (error) {
  byId('purpose').textContent = '';
  byId('error').textContent = error.message;
  byId('error').hidden = false;
}
