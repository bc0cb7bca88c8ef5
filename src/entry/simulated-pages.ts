import type { Api } from '../http/api.ts';
import type { SimulatedPages } from './simulation.ts';

/** Serves the pages of the simulators in this process. What they do not know, the API answers. */
export function addSimulatedPages(api: Api, pages: SimulatedPages): void {
  api.all('/dev/*', async (c) => {
    const response = await pages.answer(c.req.raw);
    return response.status === 404 ? c.notFound() : response;
  });
}
