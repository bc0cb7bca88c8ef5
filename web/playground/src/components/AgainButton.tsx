import { fillFrom } from '../store/compose.ts';
import type { Job } from '../store/state.ts';
import { useWords } from '../store/store.ts';
import { Icon } from './Icon.tsx';

/** Fills the form with what a video was made from, and goes there. */
export function AgainButton({ job, className }: { job: Job; className: string }) {
  const words = useWords();
  const onClick = () => {
    fillFrom(job);
    const prompt = document.getElementById('prompt');
    prompt?.focus();
    prompt?.scrollIntoView({ block: 'center' });
  };
  return (
    <button type="button" className={className} onClick={onClick}>
      <Icon name="again" />
      {words.again}
    </button>
  );
}
