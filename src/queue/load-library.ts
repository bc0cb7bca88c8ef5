/** Loads graphile-worker late: while it loads, it reads the home folder for a configuration file. */
import os from 'node:os';

export async function loadLibrary(): Promise<typeof import('graphile-worker')> {
  ensureHomeFolder();
  return import('graphile-worker');
}

/** In an edge function, `os.homedir` may throw. There is no configuration file to find, so the temporary folder will do. */
function ensureHomeFolder(): void {
  try {
    os.homedir();
  } catch {
    Object.assign(os, { homedir: os.tmpdir });
  }
}
