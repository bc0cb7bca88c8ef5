import type { Context } from 'hono';
import type { SimulatorEnv } from '../drop-connection.ts';
import { serveVideo } from '../media-host.ts';
import { isFileOutcome } from '../outcomes.ts';

/** Answers `GET /files/<outcome>/<request id>/<file>`; the file's name holds the video's length and shape. */
export async function serveFile(c: Context<SimulatorEnv>, closing: AbortSignal): Promise<Response> {
  const [, , outcome, , name = ''] = new URL(c.req.url).pathname.split('/');
  const [, seconds, aspectRatio] = /^(\d{1,2})s-(\d{1,2}x\d{1,2})\.mp4$/.exec(name) ?? [];
  if (!isFileOutcome(outcome) || !seconds || !aspectRatio) return c.json({ detail: 'Not Found' }, 404);
  return serveVideo(c, outcome, { durationSeconds: Number(seconds), aspectRatio }, closing);
}
