/** Makes the film and puts it in its place; runs in a child process only. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeVideo } from './renderer/encode.ts';
import type { Plan } from './renderer/plan.ts';
import { createVideo } from './renderer/video.ts';

/** What the parent sends. `temporaryPath` and `path` are in the same folder. */
export type RenderTask = { plan: Plan; jobId: string; prompt: string; temporaryPath: string; path: string };

/** After it, `path` is the whole film; before, it does not exist. `report` gets whole percents, each once. */
export async function renderVideo(task: RenderTask, report: (percent: number) => void): Promise<void> {
  const film = createVideo(task.plan, task.jobId, task.prompt);
  let told = 0;
  const bytes = await encodeVideo(task.plan, film, (part) => {
    const percent = Math.floor(part * 100);
    if (percent > told) report(percent);
    told = percent;
  });
  await writeWhole(task.temporaryPath, bytes);
  await rename(task.temporaryPath, task.path);
}

/** A power cut after the rename must not leave a file with holes. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
