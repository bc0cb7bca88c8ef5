// What the pages of simulators share: elements, calls to their controls, and buttons that say how it went.
export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

export const timeOf = (ms) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

/** Calls what answers below `base`. A refusal is thrown with the server's words. */
export function callsBelow(base) {
  return async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${base}/${path}`, { method, ...(body === undefined ? {} : json) });
    const text = await response.text();
    const answer = text === '' ? null : JSON.parse(text);
    if (!response.ok)
      throw new Error(answer?.error?.message ?? answer?.error ?? `The server answered ${response.status}.`);
    return answer;
  };
}

/** Does one thing at a time, shows what has changed, and says how it went. `isOver`: the page has nothing more to show. */
export function createAct(refresh, isOver = () => false) {
  return async (work) => {
    const buttons = [...document.querySelectorAll('button')].filter(({ disabled }) => !disabled);
    const focused = document.activeElement;
    for (const button of buttons) button.disabled = true;
    const outcome = await work().then(
      (text = '') => ({ text, className: '' }),
      (error) => ({ text: error.message, className: 'error' }),
    );
    for (const button of buttons) button.disabled = false;
    if (isOver()) return;
    await refresh().catch(() => {});
    const again = focused?.isConnected ? focused : focused?.id && byId(focused.id);
    if (document.activeElement === document.body) again?.focus();
    byId('outcome').className = outcome.className;
    byId('outcome').textContent = outcome.text;
  };
}

/** What the server answered to the copies of a notification. */
export function told(what, statuses, unsent) {
  if (statuses.length === 0) return `${what}. ${unsent}`;
  return `${what}. The server answered ${statuses.map((status) => status ?? 'nothing').join(', ')}.`;
}

/** Calls `work` with the form when it is sent. */
export function onSubmit(id, work) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    work(event.currentTarget);
  });
}
