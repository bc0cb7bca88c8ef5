import { fillForm } from '../store/compose.ts';
import type { Job } from '../store/state.ts';
import { useMessages } from '../store/store.ts';
import { Icon } from './Icon.tsx';

/** Fills the form with what a job was made from, and moves the focus to the prompt. */
export function MakeChangesButton({ job, className }: { job: Job; className: string }) {
  const messages = useMessages();
  const onClick = () => {
    fillForm(job);
    const prompt = document.getElementById('prompt');
    prompt?.focus();
    prompt?.scrollIntoView({ block: 'center' });
  };
  return (
    <button type="button" className={className} onClick={onClick}>
      <Icon name="redo" />
      {messages.makeChanges}
    </button>
  );
}
