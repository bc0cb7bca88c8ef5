/** The element with this selector. Throws when the page has none. */
export function find<Wanted extends HTMLElement>(selector: string): Wanted {
  const found = document.querySelector<Wanted>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

type Attributes = Record<string, string>;

/** A new element with its attributes and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Plain text as nodes; words in backticks become code elements. */
export function prose(text: string): (Node | string)[] {
  return text.split(/`([^`]*)`/).map((part, index) => (index % 2 === 1 ? make('code', {}, part) : part));
}

/** Shows a message in the notice, which screen readers announce. */
export function announce(text: string): void {
  find('.notice').textContent = text;
}
