/** `npm run demo -- "a cat playing piano"`: generates one video in the terminal, on a temporary server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { ConnectionError, GenerationError, RendioError } from '../../client/src/index.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { boot } from './boot.ts';
import { createDemoClient, type DemoClient, pickModel } from './demo/client.ts';
import { createProgress } from './demo/progress.ts';
import { fileNameFor, saveVideo } from './demo/save.ts';
import { runMain } from './run.ts';
import { startServer } from './server.ts';
import { startWork } from './work.ts';

const USAGE = `Usage: npm run demo -- "a cat playing piano" [--model Sandbox] [--duration 5] [--resolution 720p] [--aspect-ratio 16:9] [--out FILE]`;

await runMain(async () => {
  const options = readArguments();
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-demo-'));
  const env = { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'error' };
  const booted = await boot({ env, canEmbed: true }).catch(async (error) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const work = await startWork(booted);
  const server = await startServer(booted, work);
  const close = async () => {
    booted.stopping.abort();
    await Promise.all([server.stop(), work.stop(1_000)]);
    await booted.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => close().finally(() => process.exit(130)));
  }
  try {
    const file = await makeVideo(createDemoClient(server.url), options).catch(throwReadable);
    const probed = await booted.running.ctx.probe.probe(file, { thumbnailPath: join(dataDir, 'thumbnail.jpg') });
    console.log(
      styleText(
        'dim',
        `  ${probed.codec === 'avc' ? 'H.264' : probed.codec}, ${probed.width}×${probed.height}, ${probed.durationSeconds.toFixed(1)} s`,
      ),
    );
    console.log(`\n${file}`);
  } finally {
    await close();
  }
  process.exit(0);
});

type DemoOptions = {
  prompt: string;
  model: string | undefined;
  settings: Record<string, string | number>;
  out: string;
};

function readArguments(): DemoOptions {
  const options = {
    model: { type: 'string', short: 'm' },
    duration: { type: 'string' },
    resolution: { type: 'string' },
    'aspect-ratio': { type: 'string' },
    out: { type: 'string', short: 'o' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const prompt = positionals.join(' ') || 'a cat playing piano';
    const settings: DemoOptions['settings'] = {};
    if (values.duration) settings.duration = Number(values.duration);
    if (values.resolution) settings.resolution = values.resolution;
    if (values['aspect-ratio']) settings.aspect_ratio = values['aspect-ratio'];
    const out = resolve(process.env.INIT_CWD ?? '.', values.out ?? fileNameFor(prompt));
    return { prompt, model: values.model, settings, out };
  } catch (error) {
    throw new StartupError(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

/** Onboards a guest, pays for one video, waits for it and saves it. Returns the file's path. */
async function makeVideo(client: DemoClient, { prompt, model, settings, out }: DemoOptions): Promise<string> {
  const guest = await client.onboard();
  const { id: model_id, name, is_simulated } = await pickModel(client, model);
  console.log(`\n  ${styleText('bold', `“${prompt}”`)}`);
  console.log(styleText('dim', `  a new guest with ${guest.credits_remaining} credits`));
  const progress = createProgress(process.stdout);
  if (is_simulated)
    console.log(styleText('dim', `  ${name} is simulated: no vendor is called, the result is a stock video`));
  const request = { model_id, prompt, settings };
  const job = await client.generate(request, { onProgress: (each) => progress.show(each) }).catch(async (error) => {
    if (!(error instanceof GenerationError)) throw error;
    progress.end('failed');
    throw new StartupError(`No video: ${error.message}\nThe balance is ${await client.credits()} credits.`);
  });
  progress.end(job.status);
  await saveVideo(job.video_url ?? '', out);
  console.log(`  credits spent ${job.credits_used}, balance left ${await client.credits()}`);
  return out;
}

/** The server's error messages are written for users: they are shown without a stack trace. */
function throwReadable(error: unknown): never {
  const isReadable = error instanceof RendioError || error instanceof ConnectionError;
  throw isReadable ? new StartupError(error.message) : error;
}
