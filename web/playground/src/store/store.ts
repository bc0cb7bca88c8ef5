/** The page's state. `update` changes it; components select what they need with `useStore`. */
import { useSyncExternalStore } from 'react';
import { type Language, type Messages, messagesOf } from '../i18n/index.ts';
import { initialState, type State } from './state.ts';

let state: State | null = null;
const listeners = new Set<() => void>();

export function getState(): State {
  state ??= initialState();
  return state;
}

/** Changes the state and notifies every component. */
export function update(change: Partial<State> | ((state: State) => Partial<State>)): void {
  const current = getState();
  state = { ...current, ...(typeof change === 'function' ? change(current) : change) };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The selected part of the state; renders again when it changes. `select` must not return a new object each time. */
export function useStore<T>(select: (state: State) => T): T {
  return useSyncExternalStore(subscribe, () => select(getState()));
}

export function useMessages(): Messages {
  return messagesOf(useStore((state) => state.language));
}

export function useLanguage(): Language {
  return useStore((state) => state.language);
}

/** The messages in the current language, for code outside components. */
export function currentMessages(): Messages {
  return messagesOf(getState().language);
}
