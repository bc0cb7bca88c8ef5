/** Fields that the reference UI leaves without a name, and how they are told to those who cannot see the heading above. */
const NAMES: [selector: string, name: string][] = [
  ['.opblock-section-request-body .examples-select-element', 'Example of the request'],
  ['.response-control-examples .examples-select-element', 'Example of the answer'],
  ['.body-param textarea, .opblock-section-request-body textarea', 'Request body'],
];

/** Names them now, and whenever the UI draws more of them. */
export function nameFields(root: HTMLElement): void {
  const name = () => {
    for (const [selector, label] of NAMES) {
      for (const field of root.querySelectorAll(`:is(${selector}):not([aria-label])`)) {
        field.setAttribute('aria-label', label);
      }
    }
  };
  new MutationObserver(name).observe(root, { childList: true, subtree: true });
  name();
}
