/** Runway's media host: each URL is signed and expires within two days; the task gives a new one. */
import type { Context } from 'hono';
import { jwtVerify, SignJWT } from 'jose';
import type { SimulatorEnv } from '../drop-connection.ts';
import { INTERNAL_URL, serveVideo } from '../media-host.ts';
import { isFileOutcome } from '../outcomes.ts';
import { hashOf } from './identity.ts';
import { secondsOf } from './models.ts';
import { statusOf, type Task, type Tasks } from './tasks.ts';

export const MEDIA_HOST = 'dnznrvs05pmza.cloudfront.net';

const DAY_MS = 24 * 3_600_000;

/** The same URL all day. `origin` is where the caller reached Runway: on one port, the media host is there too. */
export async function fileUrl(task: Task, origin: string, signingKey: string, nowMs: number): Promise<string> {
  if (task.outcome === 'video_internal') return INTERNAL_URL;
  const host = new URL(origin).host === 'api.dev.runwayml.com' ? `https://${MEDIA_HOST}` : origin;
  const endOfTomorrowMs = (Math.floor(nowMs / DAY_MS) + 2) * DAY_MS;
  const claims = { keyHash: hashOf(`/${task.id}.mp4`), bucket: 'runway-task-artifacts', stage: 'prod' };
  const jwt = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime(endOfTomorrowMs / 1000)
    .sign(new TextEncoder().encode(signingKey));
  return `${host}/${task.id}.mp4?_jwt=${jwt}`;
}

async function isAllowed(c: Context<SimulatorEnv>, signingKey: string, nowMs: number): Promise<boolean> {
  const key = new TextEncoder().encode(signingKey);
  const checked = jwtVerify(c.req.query('_jwt') ?? '', key, { currentDate: new Date(nowMs) });
  const claims = await checked.catch(() => null);
  return claims?.payload.keyHash === hashOf(c.req.path);
}

export type MediaParts = { tasks: Tasks; signingKey: string; closing: AbortSignal };

/** Answers `GET /<task id>.mp4?_jwt=…`. */
export async function serveFile(c: Context<SimulatorEnv>, parts: MediaParts): Promise<Response> {
  const { tasks, signingKey, closing } = parts;
  if (!(await isAllowed(c, signingKey, tasks.nowMs()))) return c.text('Access denied', 403);
  const task = await tasks.read(c.req.path.slice(1).replace('.mp4', ''));
  if (!task || statusOf(task, tasks.nowMs()) !== 'SUCCEEDED') return c.text('Not Found', 404);
  const outcome = isFileOutcome(task.outcome) ? task.outcome : 'video';
  return serveVideo(c, outcome, { durationSeconds: secondsOf(task.input), aspectRatio: task.input.ratio }, closing);
}
