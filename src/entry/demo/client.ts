import { createClient, type Model, memoryStorage } from '../../../client/src/index.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { sandbox } from '../../providers/sandbox/manifest.ts';

export type DemoClient = ReturnType<typeof createClient>;

/** A client without a stored session, like a newly installed app. */
export function createDemoClient(url: string): DemoClient {
  return createClient({ url, storage: memoryStorage() });
}

/** The model with this name, in upper or lower case. By default the sandbox: it needs no key, and its video shows the prompt. */
export async function pickModel(client: DemoClient, name: string | undefined): Promise<Model> {
  // The demo takes text only.
  const models = (await client.models()).filter(({ requires_image }) => !requires_image);
  const model = models.find((each) =>
    name === undefined ? each.provider === sandbox.name : each.name.toLowerCase() === name.toLowerCase(),
  );
  if (model) return model;
  const names = models.map((each) => `"${each.name}"`).join(', ');
  throw new StartupError(`There is no model ${name ?? 'that needs no key'} here. Available: ${names || 'nothing'}.`);
}
