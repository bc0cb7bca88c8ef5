/** The page's own requests, as opposed to those that the user sends from the reference. */

export type ErrorExplained = { code: string; name: string; advice: string; statuses: number[]; message: string };
export type PageSettings = { languages: string[]; simulates_device_check: boolean; errors: ErrorExplained[] };
export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  parameters?: { name: string; in: string }[];
};
export type OpenApi = { tags: { name: string }[]; paths: Record<string, Record<string, Operation>> };
export type Session = { access_token: string; refresh_token: string | null; expires_at: number };

/** A refusal by the server. `message` is a sentence for the user. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

type ErrorBody = { error?: { message?: string } | string; message?: string; msg?: string };

/** Resolves with the JSON of an answer. Throws a `Refusal` with the server's message when the status is an error. */
export async function call<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, init);
  const body: unknown = await response.json().catch(() => ({}));
  if (response.ok) return body as Answer;
  const { error, message, msg } = body as ErrorBody;
  const sentence = (typeof error === 'object' ? error.message : undefined) ?? msg ?? message;
  throw new Refusal(response.status, sentence ?? `The server answered ${response.status}.`);
}

/** Sends JSON with POST. */
export function post<Answer>(path: string, body: object, language: string): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': language };
  return call(path, { method: 'POST', headers, body: JSON.stringify(body) });
}
