import { createClient, type Model, memoryStorage } from '../../../client/src/index.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { sandbox } from '../../providers/sandbox/manifest.ts';

export type DemoClient = ReturnType<typeof createClient>;

/** A guest who was never here before, as an app has it. */
export function createDemoClient(url: string): DemoClient {
  return createClient({ url, storage: memoryStorage() });
}

/** The model of this name in any case; unless one is named, the sandbox: it needs no key, and its film shows the prompt. */
export async function pickModel(client: DemoClient, name: string | undefined): Promise<Model> {
  // A picture is more than a line in a terminal.
  const models = (await client.models()).filter(({ requires_image }) => !requires_image);
  const model = models.find((each) =>
    name === undefined ? each.provider === sandbox.name : each.name.toLowerCase() === name.toLowerCase(),
  );
  if (model) return model;
  const names = models.map((each) => `"${each.name}"`).join(', ');
  throw new StartupError(`There is no model ${name ?? 'that needs no key'} here. On offer: ${names || 'nothing'}.`);
}
