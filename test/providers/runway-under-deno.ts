/** Run by Deno: a submit, a submit without a connection, and a status; prints their outcomes. */
import { createRunwayAdapter } from '../../src/providers/runway/index.ts';

const answers: Record<string, object> = {
  '/v1/text_to_video': { id: 'a-task', estimatedCost: { credits: 48 } },
  '/v1/tasks/a-task': { id: 'a-task', status: 'RUNNING', progress: 0.42 },
};
const answeringFetch: typeof fetch = async (input) => Response.json(answers[new URL(String(input)).pathname]);
const failingFetch: typeof fetch = async () => {
  throw new TypeError('error sending request for url (https://runway.invalid/): client error (Connect): dns error');
};

const ignore = () => {};
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const clock = { now: () => new Date(0) };
const common = { apiKey: 'key_x', baseUrl: 'https://runway.invalid', clock, log };
const request = {
  ...{ jobId: 'j', providerModelId: 'gen4.5', prompt: 'A heron', settings: { duration: 4 } },
  ...{ image: null, webhookUrl: null },
};
const signal = AbortSignal.timeout(10_000);
const reachable = createRunwayAdapter({ ...common, fetch: answeringFetch });
const unreachable = createRunwayAdapter({ ...common, fetch: failingFetch });
console.log(
  JSON.stringify([
    await reachable.submit(request, signal),
    await unreachable.submit(request, signal),
    await reachable.status(request, 'a-task', signal),
  ]),
);
