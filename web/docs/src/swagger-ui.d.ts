/** The parts of the reference UI that the page uses. The browser loads it before this page's script. */

type SwaggerRequest = {
  url: string;
  method?: string;
  headers: Record<string, string>;
  /** Called instead of the browser's fetch. */
  userFetch?: typeof fetch;
};
type SwaggerResponse = { url: string; status: number; obj?: unknown };

/** An immutable map, of which the UI's state consists. */
type SwaggerMap = {
  get(key: string): unknown;
  getIn(path: string[]): unknown;
  find(test: (item: SwaggerMap) => boolean): SwaggerMap | undefined;
};

type SwaggerComponent = (props: never) => unknown;
type SwaggerReact = {
  createElement(type: unknown, props: object | null, ...children: unknown[]): unknown;
  Fragment: unknown;
  useState<Value>(initial: Value): [Value, (next: Value) => void];
};

type SwaggerSystem = {
  specActions: {
    updateSpec(text: string): void;
    changeParam(pathMethod: string[], name: string, where: string, value: string, isXml: boolean): void;
    changeParamByIdentity(pathMethod: string[], parameter: SwaggerMap, value: string, isXml: boolean): void;
  };
  specSelectors: { specJsonWithResolvedSubtrees(): { getIn(path: string[]): SwaggerMap[] | undefined } };
  oas3Actions: { setRequestBodyValue(change: { value: string; pathMethod: string[] }): void };
  layoutActions: { show(thing: string[], isShown: boolean): void; clearScrollTo(): unknown };
  authActions: { logout(names: string[]): void };
  preauthorizeApiKey(name: string, value: string): void;
};

declare const SwaggerUIBundle: (options: Record<string, unknown>) => SwaggerSystem;
