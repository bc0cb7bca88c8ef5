type Forms = { one?: string; few?: string; many?: string; other: string };

/** Chooses a language's plural form for a count. `#` in the form becomes the count, formatted for the language. */
export function pluralIn(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count, forms) => {
    const rule = rules.select(count);
    const form = (rule === 'one' || rule === 'few' || rule === 'many' ? forms[rule] : undefined) ?? forms.other;
    return form.replaceAll('#', numbers.format(count));
  };
}
