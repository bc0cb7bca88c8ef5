// What every function's folder calls. The runtime serves a file; the application behind it is the same for all of them.
export { serveFunction as serve } from '../../src/entry/door/open.ts';
