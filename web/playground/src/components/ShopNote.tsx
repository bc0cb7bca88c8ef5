import type { ShopTask } from '../store/state.ts';
import { useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

type Props = { kind: ShopTask['kind']; isHidden?: boolean };

/** What the last thing in this part of the shop has brought, or why it has failed. Hidden: only screen readers are told. */
export function ShopNote({ kind, isHidden = false }: Props) {
  const note = useStore((state) => state.shopNote);
  const failure = useStore((state) => state.shopError);
  return (
    <>
      <p className={isHidden ? 'visually-hidden' : 'shop-note'} id={`${kind}-note`} role="status">
        {note?.kind === kind ? note.text : ''}
      </p>
      <ErrorNote id={`${kind}-error`} error={failure?.kind === kind ? failure.error : null} />
    </>
  );
}
