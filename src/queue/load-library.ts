/** The queue's library, which reads the home folder for a configuration file while it loads: so it is loaded late. */
import os from 'node:os';

export async function loadLibrary(): Promise<typeof import('graphile-worker')> {
  letHomeBeAsked();
  return import('graphile-worker');
}

/** An edge function may not know its home, and asking is an error there. It has none, so the temporary folder will do. */
function letHomeBeAsked(): void {
  try {
    os.homedir();
  } catch {
    Object.assign(os, { homedir: os.tmpdir });
  }
}
