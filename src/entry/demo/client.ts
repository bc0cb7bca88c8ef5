import { createClient, memoryStorage } from '../../../client/src/index.ts';
import { StartupError } from '../../kernel/startup-error.ts';

export type DemoClient = ReturnType<typeof createClient>;

/** A guest who was never here before, as an app has it. */
export function createDemoClient(url: string): DemoClient {
  return createClient({ url, storage: memoryStorage() });
}

/** The model that needs nobody's key, where it is on offer. Returns its id. */
export async function pickModel(client: DemoClient): Promise<string> {
  const models = await client.models();
  const model = models.find(({ provider }) => provider === 'sandbox') ?? models[0];
  if (!model) throw new StartupError('No model is available.');
  return model.id;
}
