/** The reference UI, filled with the current account, the chosen language, and a model and a job to try. */
import { call, type OpenApi } from './api.ts';
import { announce, find } from './dom.ts';
import { operationsOf } from './index-of-endpoints.ts';
import { language } from './language.ts';
import { nameFields } from './name-fields.ts';
import { ourPlugin } from './plugin.ts';
import { accessToken } from './session.ts';
import { fetchTimeLimited } from './time-limited-stream.ts';

const KEY_HEADER = 'Idempotency-Key';
const EVENTS = '/functions/v1/job-events';
const GENERATE = '/functions/v1/generate-video';

export type Reference = {
  /** Shows the document in the chosen language. */
  redraw(): Promise<void>;
  /** Sends the requests with this access token; null: without one. */
  authorize(token: string | null): void;
  open(tag: string, operationId: string): void;
};

export type ReferenceOptions = {
  spec: OpenApi;
  /** Called with the status of every answer. */
  onAnswer(status: number): void;
};

/** The document with examples in the chosen language, and with the id of a model that this server has. */
export async function readSpec(): Promise<OpenApi> {
  type Models = { models: { id: string; provider: string; requires_image: boolean }[] };
  const [spec, { models }] = await Promise.all([
    call<OpenApi>(`/docs/openapi.json?language=${language()}`),
    call<Models>('/functions/v1/get-models').catch((): Models => ({ models: [] })),
  ]);
  const usable = models.filter((model) => !model.requires_image);
  const model = usable.find(({ provider }) => provider === 'sandbox') ?? usable[0];
  const example = exampleModel(spec);
  return model && example ? JSON.parse(JSON.stringify(spec).replaceAll(example, model.id)) : spec;
}

function exampleModel(spec: OpenApi): string | undefined {
  return /"model_id":"([0-9a-f-]{36})"/.exec(JSON.stringify(spec.paths[GENERATE] ?? {}))?.[1];
}

/** Draws the reference; resolves when it is complete. */
export function startReference({ spec, onAnswer }: ReferenceOptions): Promise<Reference> {
  return new Promise((resolve) => {
    const ui: SwaggerSystem = SwaggerUIBundle({
      spec,
      domNode: find('#reference'),
      deepLinking: true,
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      defaultModelExpandDepth: 4,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      plugins: [ourPlugin],
      requestInterceptor: prepare,
      responseInterceptor: (response: SwaggerResponse) => {
        const path = new URL(response.url, location.href).pathname;
        fillNewKey(ui, spec, path);
        if (path === GENERATE && isStarted(response.obj)) fillJobId(ui, response.obj.job_id);
        onAnswer(response.status);
        return response;
      },
      onComplete: () => {
        fillNewKey(ui, spec);
        nameFields(find('#reference'));
        resolve(referenceOf(ui));
      },
    });
  });
}

function referenceOf(ui: SwaggerSystem): Reference {
  let isAuthorized = false;
  return {
    async redraw() {
      ui.specActions.updateSpec(JSON.stringify(await readSpec()));
    },
    authorize(token) {
      if (token) ui.preauthorizeApiKey('bearer', token);
      else if (isAuthorized) ui.authActions.logout(['bearer']);
      isAuthorized = token !== null;
    },
    open(tag, operationId) {
      ui.layoutActions.show(['operations', tag, operationId], true);
      const block = document.getElementById(`operations-${tag.replaceAll(' ', '_')}-${operationId}`);
      block?.scrollIntoView();
      block?.querySelector('button')?.focus({ preventScroll: true });
    },
  };
}

/** Adds the language and a valid access token to a request that the user sends. */
async function prepare(request: SwaggerRequest): Promise<SwaggerRequest> {
  request.headers['Accept-Language'] ??= language();
  if (request.headers.Authorization) {
    const token = await accessToken();
    if (token) request.headers.Authorization = `Bearer ${token}`;
  }
  if (new URL(request.url, location.href).pathname === EVENTS) {
    announce('Listening until a job ends, for up to ten seconds…');
    request.userFetch = fetchTimeLimited;
  }
  return request;
}

/** Fills in a new idempotency key for each operation that takes one, or only for the one at `onlyPath`. */
function fillNewKey(ui: SwaggerSystem, spec: OpenApi, onlyPath?: string): void {
  for (const { path, method, operation } of operationsOf(spec)) {
    if (onlyPath !== undefined && path !== onlyPath) continue;
    if (operation.parameters?.some(({ name }) => name === KEY_HEADER)) {
      setParameter(ui, [path, method], KEY_HEADER, crypto.randomUUID());
    }
  }
}

/** Sets the value both by name and by parameter: the UI reads the first until the user edits the field, then the second. */
function setParameter(ui: SwaggerSystem, pathMethod: string[], name: string, value: string): void {
  const parameters = ui.specSelectors.specJsonWithResolvedSubtrees().getIn(['paths', ...pathMethod, 'parameters']);
  const parameter = parameters?.find((item) => item.get('name') === name);
  if (!parameter) return;
  ui.specActions.changeParam(pathMethod, name, String(parameter.get('in')), value, false);
  ui.specActions.changeParamByIdentity(pathMethod, parameter, value, false);
}

/** Fills the new job's id into the requests that take one. */
function fillJobId(ui: SwaggerSystem, jobId: string): void {
  for (const name of ['get-video-status', 'check-video-job-status']) {
    setParameter(ui, [`/functions/v1/${name}`, 'get'], 'job_id', jobId);
  }
  const value = JSON.stringify({ job_id: jobId }, null, 2);
  for (const [name, method] of [
    ['cancel-video-job', 'post'],
    ['delete-video-job', 'post'],
    ['delete-video-job', 'delete'],
  ]) {
    ui.oas3Actions.setRequestBodyValue({ value, pathMethod: [`/functions/v1/${name}`, method ?? ''] });
  }
}

function isStarted(body: unknown): body is { job_id: string } {
  return typeof body === 'object' && body !== null && 'job_id' in body && typeof body.job_id === 'string';
}
