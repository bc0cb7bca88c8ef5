/** The reference UI, told what this page knows: who calls, in which language, and which model and job there are to try. */
import { call, type OpenApi } from './api.ts';
import { announce, find } from './dom.ts';
import { operationsOf } from './index-of-endpoints.ts';
import { language } from './language.ts';
import { listenForAWhile } from './listen-for-a-while.ts';
import { nameFields } from './name-fields.ts';
import { ourPlugin } from './plugin.ts';
import { accessToken } from './session.ts';

const KEY_HEADER = 'Idempotency-Key';
const EVENTS = '/functions/v1/job-events';
const GENERATE = '/functions/v1/generate-video';

export type Reference = {
  /** Shows the document in the language that is chosen now. */
  redraw(): Promise<void>;
  /** Makes the calls as this person; null: as nobody. */
  authorize(token: string | null): void;
  open(tag: string, operationId: string): void;
};

export type ReferenceOptions = {
  spec: OpenApi;
  /** Hears of every call that was answered. */
  onAnswer(status: number): void;
};

/** The document with its examples in the chosen language, about a model that is really here. */
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

/** Puts the reference on the page; resolves when it is there. */
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
        freshKey(ui, spec, path);
        if (path === GENERATE && isStarted(response.obj)) tryNext(ui, response.obj.job_id);
        onAnswer(response.status);
        return response;
      },
      onComplete: () => {
        freshKey(ui, spec);
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

/** What every call that is tried out gets: the language, and a token that has not ended. */
async function prepare(request: SwaggerRequest): Promise<SwaggerRequest> {
  request.headers['Accept-Language'] ??= language();
  if (request.headers.Authorization) {
    const token = await accessToken();
    if (token) request.headers.Authorization = `Bearer ${token}`;
  }
  if (new URL(request.url, location.href).pathname === EVENTS) {
    announce('Listening until a job has ended, for ten seconds at most…');
    request.userFetch = listenForAWhile;
  }
  return request;
}

/** A key of its own for the next call of each operation that takes one, or of the one at `onlyPath`. */
function freshKey(ui: SwaggerSystem, spec: OpenApi, onlyPath?: string): void {
  for (const { path, method, operation } of operationsOf(spec)) {
    if (onlyPath !== undefined && path !== onlyPath) continue;
    if (operation.parameters?.some(({ name }) => name === KEY_HEADER)) {
      setParameter(ui, [path, method], KEY_HEADER, crypto.randomUUID());
    }
  }
}

/** The UI knows a value by the parameter's name until its field was touched, and by the parameter itself from then on. */
function setParameter(ui: SwaggerSystem, pathMethod: string[], name: string, value: string): void {
  const parameters = ui.specSelectors.specJsonWithResolvedSubtrees().getIn(['paths', ...pathMethod, 'parameters']);
  const parameter = parameters?.find((item) => item.get('name') === name);
  if (!parameter) return;
  ui.specActions.changeParam(pathMethod, name, String(parameter.get('in')), value, false);
  ui.specActions.changeParamByIdentity(pathMethod, parameter, value, false);
}

/** The job that was just made is the one that the next calls are about. */
function tryNext(ui: SwaggerSystem, jobId: string): void {
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
