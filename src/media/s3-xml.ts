/** Reads the few elements of S3's answers that we need, with or without a namespace before their names. */

/** The contents of each element of this name, in their order. Elements of the same name are not nested in one another. */
export function elementsIn(xml: string, name: string): string[] {
  const pattern = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([\\s\\S]*?)</(?:\\w+:)?${name}>`, 'g');
  return Array.from(xml.matchAll(pattern), ([, content = '']) => content);
}

/** The text of the first element of this name; null without one. */
export function textIn(xml: string, name: string): string | null {
  const [first] = elementsIn(xml, name);
  return first === undefined ? null : unescapeXml(first.trim());
}

export function unescapeXml(text: string): string {
  const plain: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => plain[name] ?? '');
}
