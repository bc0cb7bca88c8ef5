/** `fetch` takes no user and password in a URL: they become a header. */
export function withoutCredentials(text: string): { url: string; headers: Record<string, string> } {
  const url = new URL(text);
  const { username, password } = url;
  if (!username && !password) return { url: text, headers: {} };
  url.username = '';
  url.password = '';
  const bytes = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  return { url: url.href, headers: { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that begins no code stands for itself.
    return text;
  }
}
