import { useStore, useWords } from '../store/store.ts';
import { Composer } from './Composer.tsx';
import { Header } from './Header.tsx';
import { History } from './History.tsx';
import { LedgerDialog } from './LedgerDialog.tsx';
import { NewGuestDialog } from './NewGuestDialog.tsx';
import { Notice } from './Notice.tsx';
import { Stage } from './Stage.tsx';
import { useTitle } from './title.ts';
import { UndoBar } from './UndoBar.tsx';

export function App() {
  const words = useWords();
  const announcement = useStore((state) => state.announcement);
  useTitle();
  return (
    <>
      <a className="skip" href="#prompt">
        {words.skip}
      </a>
      <Header />
      <Notice />
      <main>
        <Composer />
        <div className="side">
          <Stage />
          <History />
        </div>
      </main>
      <footer>
        <a href="/docs">{words.reference}</a>
      </footer>
      <UndoBar />
      <LedgerDialog />
      <NewGuestDialog />
      <p className="unseen" id="announce" role="status">
        {announcement}
      </p>
    </>
  );
}
