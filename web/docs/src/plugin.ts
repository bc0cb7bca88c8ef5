import { resolveWithin } from './resolve.ts';

/**
 * What this page changes in the reference UI. Of an endpoint's possible answers only the successful one is open; the others
 * are folded to one line each, because all of them would fill ten screens.
 */
export function ourPlugin({ React }: { React: SwaggerReact }) {
  const { createElement: make, Fragment, useState } = React;

  const foldAnswer = (Answer: SwaggerComponent) =>
    function FoldedAnswer(props: AnswerProps) {
      const [isOpen, setOpen] = useState(props.code === '200');
      const button = make(
        'button',
        { type: 'button', className: 'fold-button', 'aria-expanded': isOpen, onClick: () => setOpen(!isOpen) },
        ...headlineOf(props).map((line) => make('span', { key: line }, line)),
      );
      const row = make(
        'tr',
        { className: `fold fold-${props.code.slice(0, 1)}` },
        make('td', { className: 'response-col_status' }, props.code),
        make('td', { className: 'response-col_description' }, button),
      );
      return make(Fragment, null, row, isOpen ? make(Answer, props) : null);
    };

  // The UI puts a link into a button, which screen readers cannot handle. The index has the links.
  const plainText = () => (props: { text: string }) => make('span', null, props.text);

  // The UI's own scrolling ignores this page's sticky header.
  const scrollToElement =
    (_: unknown, { layoutActions }: SwaggerSystem) =>
    (element: Element) => {
      element.scrollIntoView();
      return layoutActions.clearScrollTo();
    };

  // The UI's own function reads the whole document again for each endpoint that is opened, which takes more than half a second.
  const resolveSubtree = async (spec: object, path: string[], { baseDoc }: { baseDoc: string }) => ({
    spec: resolveWithin(spec, path, baseDoc),
    errors: [],
  });

  return {
    fn: { resolveSubtree },
    wrapComponents: { response: foldAnswer, DeepLink: plainText },
    statePlugins: { layout: { wrapActions: { scrollToElement } } },
  };
}

type AnswerProps = { code: string; response: SwaggerMap & { toJS(): Answer } };
type Answer = {
  description?: string;
  content?: Record<string, { examples?: Record<string, { summary?: string }> }>;
};

/** The error codes with their names; for a success, the answer's description. */
function headlineOf({ code, response }: AnswerProps): string[] {
  const { description = '', content = {} } = response.toJS();
  const examples = Object.values(content['application/json']?.examples ?? {});
  const names = Number(code) < 400 ? [] : examples.map(({ summary = '' }) => summary);
  return names.length > 0 ? names : [description.replaceAll('`', '')];
}
