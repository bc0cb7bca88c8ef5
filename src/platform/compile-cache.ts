import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Environment variables by which a child finds the compiled code that this process keeps; none where it keeps none. */
export function compileCache(): Record<string, string> {
  // The folder in use is the one of this version of Node, within the one that was named.
  const folder = getCompileCacheDir();
  return folder ? { NODE_COMPILE_CACHE: dirname(folder) } : {};
}
