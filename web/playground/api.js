/** The server's endpoints, called as the guest. */
import { ApiError, ask, send } from './http.js';
import { accessToken } from './session.js';

/** Calls with a token, and once more with a new one if it is refused. */
async function authorised(call, method, name, options) {
  const attempt = (token) =>
    call(method, `/functions/v1/${name}`, {
      ...options,
      headers: { ...options?.headers, Authorization: `Bearer ${token}` },
    });
  const token = await accessToken();
  try {
    return await attempt(token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return attempt(await accessToken(token));
  }
}

const get = (name) => authorised(ask, 'GET', name);
const post = (name, body, headers = {}) => authorised(ask, 'POST', name, { body, headers });
/** @param {string | null} [cursor] */
const paged = (cursor) => (cursor ? `&cursor=${cursor}` : '');

/** Without a token: everybody may ask. */
export const getModels = async () => (await ask('GET', '/functions/v1/get-models')).models;
export const getCredits = async () => (await get('get-user-credits')).credits_remaining;
export const getJob = (id) => get(`get-video-status?job_id=${id}`);
export const getJobs = (cursor = '') => get(`get-video-jobs?limit=12${paged(cursor)}`);
export const getHistory = (cursor = '') => get(`get-credit-history?limit=20${paged(cursor)}`);
export const generate = (wish, key) => post('generate-video', wish, { 'Idempotency-Key': key });
export const cancelJob = (id) => post('cancel-video-job', { job_id: id });
export const deleteJob = (id) => post('delete-video-job', { job_id: id });
export const saveLanguage = (language) => post('update-user-profile', { language });
/** The stream of our events, from after `lastId`. */
export const openEvents = (lastId, signal) =>
  authorised(send, 'GET', 'job-events', { headers: lastId ? { 'Last-Event-ID': lastId } : {}, signal });
