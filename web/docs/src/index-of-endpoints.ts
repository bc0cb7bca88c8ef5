import type { OpenApi, Operation } from './api.ts';
import { find, make } from './dom.ts';

/** Draws the list of all endpoints beside the reference. `open` is called with the one that the user selects. */
export function drawIndex(spec: OpenApi, open: (operation: Operation) => void): void {
  const groups = spec.tags.map(({ name }) => {
    const items = operationsOf(spec).filter(({ operation }) => operation.tags[0] === name);
    return make(
      'section',
      {},
      make('h2', {}, name),
      make('ul', {}, ...items.map(({ method, path, operation }) => item(method, path, operation, open))),
    );
  });
  find('.index').replaceChildren(...groups);
}

function item(method: string, path: string, operation: Operation, open: (operation: Operation) => void): HTMLElement {
  const href = `#/${encodeURIComponent(operation.tags[0] ?? '')}/${operation.operationId}`;
  const name = path.replace('/functions/v1/', '').replace('/storage/v1/object/sign/{bucket}/{path}', 'media file');
  const badge = make('span', { class: `method ${method}` }, method.toUpperCase());
  const link = make('a', { href, title: operation.summary }, badge, make('span', {}, name));
  link.addEventListener('click', (event) => {
    event.preventDefault();
    history.pushState(null, '', href);
    open(operation);
  });
  return make('li', {}, link);
}

/** Every operation with its method and path, in the document's order. */
export function operationsOf(spec: OpenApi): { method: string; path: string; operation: Operation }[] {
  return Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}
