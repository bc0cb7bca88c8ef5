/** Run by Deno: a submit, one that finds nobody, and a status; prints what came of them. */
import { createRunwayAdapter } from '../../src/providers/runway/index.ts';

const answers: Record<string, object> = {
  '/v1/text_to_video': { id: 'a-task', estimatedCost: { credits: 48 } },
  '/v1/tasks/a-task': { id: 'a-task', status: 'RUNNING', progress: 0.42 },
};
const playing: typeof fetch = async (input) => Response.json(answers[new URL(String(input)).pathname]);
const nobody: typeof fetch = async () => {
  throw new TypeError('error sending request for url (https://runway.invalid/): client error (Connect): dns error');
};

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock = { now: () => new Date(0) };
const common = { apiKey: 'key_x', baseUrl: 'https://runway.invalid', clock, log };
const request = {
  ...{ jobId: 'j', providerModelId: 'gen4.5', prompt: 'A heron', settings: { duration: 4 } },
  ...{ image: null, webhookUrl: null },
};
const signal = AbortSignal.timeout(10_000);
const there = createRunwayAdapter({ ...common, fetch: playing });
const away = createRunwayAdapter({ ...common, fetch: nobody });
console.log(
  JSON.stringify([
    await there.submit(request, signal),
    await away.submit(request, signal),
    await there.status(request, 'a-task', signal),
  ]),
);
