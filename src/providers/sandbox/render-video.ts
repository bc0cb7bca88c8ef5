/** Renders the video into its file. Runs in a child process only. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../platform/make-folder.ts';
import { encodeVideo } from './renderer/encode.ts';
import type { Plan } from './renderer/plan.ts';
import { createVideo } from './renderer/video.ts';

/** What the parent sends. `temporaryPath` and `path` are in the same folder. */
export type RenderTask = { plan: Plan; jobId: string; prompt: string; temporaryPath: string; path: string };

/** Afterwards `path` is the whole video; before, it does not exist. `report` gets each whole percent once. */
export async function renderVideo(task: RenderTask, report: (percent: number) => void): Promise<void> {
  const video = createVideo(task.plan, task.jobId, task.prompt);
  let reported = 0;
  const bytes = await encodeVideo(task.plan, video, (part) => {
    const percent = Math.floor(part * 100);
    if (percent > reported) report(percent);
    reported = percent;
  });
  await writeWhole(task.temporaryPath, bytes);
  await rename(task.temporaryPath, task.path);
}

/** A power cut after the rename must not leave a file with holes. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await makeFolder(dirname(path));
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
