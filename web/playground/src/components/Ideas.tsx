import { type MouseEvent, useState } from 'react';
import { setPrompt } from '../store/compose.ts';
import { selectModel } from '../store/models.ts';
import { useMessages, useStore } from '../store/store.ts';
import { Icon } from './Icon.tsx';

const SHOWN = 3;

/** Example prompts. Pressing one fills the form. */
export function Ideas() {
  const { ideas: scenes, motions, ideasLabel, moreIdeas } = useMessages();
  const ideas = useStore((state) => selectModel(state)?.requires_image) ? motions : scenes;
  const [first, setFirst] = useState(0);
  const shown = [...ideas, ...ideas].slice(first, first + SHOWN);
  const pick = (text: string, event: MouseEvent) => {
    setPrompt(text);
    // On a phone, focusing would open the keyboard over the button that the user needs next.
    const isTouch = event.nativeEvent instanceof PointerEvent && event.nativeEvent.pointerType === 'touch';
    if (!isTouch) document.getElementById('prompt')?.focus();
  };
  return (
    <fieldset className="ideas">
      <legend className="visually-hidden">{ideasLabel}</legend>
      {shown.map(({ label, prompt }) => (
        <button type="button" className="chip" key={label} onClick={(event) => pick(prompt, event)}>
          {label}
        </button>
      ))}
      <button
        type="button"
        className="icon-button"
        aria-label={moreIdeas}
        title={moreIdeas}
        onClick={() => setFirst((first + SHOWN) % ideas.length)}
      >
        <Icon name="shuffle" />
      </button>
    </fieldset>
  );
}
