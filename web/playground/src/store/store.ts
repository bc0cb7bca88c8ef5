/** What the page knows, in one place. Whoever learns something calls `update`; components say what they need. */
import { useSyncExternalStore } from 'react';
import { type Language, type Words, wordsOf } from '../i18n/index.ts';
import { initialState, type State } from './state.ts';

let state: State | null = null;
const listeners = new Set<() => void>();

export function getState(): State {
  state ??= initialState();
  return state;
}

/** Tells every component that something has changed. */
export function update(change: Partial<State> | ((state: State) => Partial<State>)): void {
  const present = getState();
  state = { ...present, ...(typeof change === 'function' ? change(present) : change) };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What `select` picks, anew whenever that has changed; it must not make a new object each time. */
export function useStore<T>(select: (state: State) => T): T {
  return useSyncExternalStore(subscribe, () => select(getState()));
}

export function useWords(): Words {
  return wordsOf(useStore((state) => state.language));
}

export function useLanguage(): Language {
  return useStore((state) => state.language);
}

/** The words of the moment, where no component draws. */
export function words(): Words {
  return wordsOf(getState().language);
}
