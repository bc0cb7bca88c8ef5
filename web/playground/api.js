/** The server's endpoints, called as the guest. */
import { ApiError, ask, send } from './http.js';
import { accessToken } from './session.js';

/** Calls with a token, and once more with a new one where the server does not take it. */
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

/** Without a token: everybody may ask. @returns {Promise<Model[]>} */
export const getModels = async () => (await ask('GET', '/functions/v1/get-models')).models;
/** @returns {Promise<number>} */
export const getCredits = async () => (await get('get-user-credits')).credits_remaining;
/** @returns {Promise<Job>} */
export const getJob = (id) => get(`get-video-status?job_id=${id}`);
/** @returns {Promise<{ jobs: Job[], next_cursor: string | null }>} */
export const getJobs = (cursor = '') => get(`get-video-jobs?limit=12${paged(cursor)}`);
/** @returns {Promise<{ transactions: Transaction[], next_cursor: string | null }>} */
export const getHistory = (cursor = '') => get(`get-credit-history?limit=20${paged(cursor)}`);
/** @returns {Promise<{ job_id: string, credits_used: number }>} */
export const generate = (wish, key) => post('generate-video', wish, { 'Idempotency-Key': key });
/** @returns {Promise<{ credits_remaining: number }>} */
export const cancelJob = (id) => post('cancel-video-job', { job_id: id });
export const deleteJob = (id) => post('delete-video-job', { job_id: id });
export const saveLanguage = (language) => post('update-user-profile', { language });
/** The stream of our events, from after `lastId`. @returns {Promise<Response>} */
export const openEvents = (lastId, signal) =>
  authorised(send, 'GET', 'job-events', { headers: lastId ? { 'Last-Event-ID': lastId } : {}, signal });
