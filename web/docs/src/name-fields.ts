/** Fields that the reference UI leaves without a label, and their labels for screen readers. */
const NAMES: [selector: string, name: string][] = [
  ['.opblock-section-request-body .examples-select-element', 'Request example'],
  ['.response-control-examples .examples-select-element', 'Response example'],
  ['.body-param textarea, .opblock-section-request-body textarea', 'Request body'],
];

/** Adds the labels now, and whenever the UI draws more of these fields. */
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
