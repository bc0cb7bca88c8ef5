/** Every endpoint of the contract that is served so far, with a valid call of it. */
import { randomUUID } from 'node:crypto';

export type Route = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /functions/v1, without the query. */
  name: string;
  isPublic?: true;
  query?: string;
  body?: Record<string, unknown>;
};

const jobId = randomUUID();

export const ROUTES: Route[] = [
  { method: 'POST', name: 'device-check', isPublic: true, body: { device_id: 'a-device-of-the-matrix' } },
  { method: 'GET', name: 'get-models', isPublic: true },
  { method: 'GET', name: 'get-user-credits' },
  { method: 'GET', name: 'get-credit-history' },
  { method: 'GET', name: 'get-user-profile' },
  { method: 'PATCH', name: 'update-user-profile', body: { theme_preference: 'dark' } },
  { method: 'POST', name: 'update-user-profile', body: { theme_preference: 'dark' } },
  { method: 'POST', name: 'generate-video', body: { model_id: randomUUID(), prompt: 'a cat playing piano' } },
  { method: 'GET', name: 'get-video-status', query: `?job_id=${jobId}` },
  { method: 'GET', name: 'check-video-job-status', query: `?job_id=${jobId}` },
  { method: 'GET', name: 'get-video-jobs' },
  { method: 'POST', name: 'cancel-video-job', body: { job_id: jobId } },
  { method: 'POST', name: 'delete-video-job', body: { job_id: jobId } },
  { method: 'DELETE', name: 'delete-video-job', body: { job_id: jobId } },
  { method: 'GET', name: 'job-events' },
  { method: 'GET', name: 'get-products' },
  { method: 'POST', name: 'redeem-code', body: { code: 'MATRIX-2026' } },
  { method: 'POST', name: 'update-credits', body: { transaction_id: '2000000000000000' } },
  { method: 'POST', name: 'create-checkout', body: { product_id: 'com.rendio.credits.10' } },
];

export const USER_ROUTES = ROUTES.filter((route) => !route.isPublic);
export const BODY_ROUTES = ROUTES.filter((route) => route.body);

export const labelOf = ({ method, name }: Route): string => `${method} ${name}`;

/** Every endpoint's name with its methods. */
export function methodsByName(): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { name, method } of ROUTES) methods.set(name, [...(methods.get(name) ?? []), method]);
  return methods;
}
