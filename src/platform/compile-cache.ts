import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Environment variables that let a child process use this process's compile cache; empty without one. */
export function compileCache(): Record<string, string> {
  // The folder in use belongs to this version of Node; the variable names its parent.
  const folder = getCompileCacheDir();
  return folder ? { NODE_COMPILE_CACHE: dirname(folder) } : {};
}
