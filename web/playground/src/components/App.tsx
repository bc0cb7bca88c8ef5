import { useMessages, useStore } from '../store/store.ts';
import { AccountDialog } from './AccountDialog.tsx';
import { Composer } from './Composer.tsx';
import { DeleteAccountDialog } from './DeleteAccountDialog.tsx';
import { Header } from './Header.tsx';
import { History } from './History.tsx';
import { LedgerDialog } from './LedgerDialog.tsx';
import { NewGuestDialog } from './NewGuestDialog.tsx';
import { Notice } from './Notice.tsx';
import { ShopDialog } from './ShopDialog.tsx';
import { SignedOut } from './SignedOut.tsx';
import { Stage } from './Stage.tsx';
import { useTitle } from './title.ts';
import { UndoBar } from './UndoBar.tsx';

export function App() {
  const messages = useMessages();
  const announcement = useStore((state) => state.announcement);
  useTitle();
  return (
    <>
      <a className="skip" href="#prompt">
        {messages.skip}
      </a>
      <Header />
      <Notice />
      <SignedOut />
      <main>
        <Composer />
        <div className="side">
          <Stage />
          <History />
        </div>
      </main>
      <footer>
        <a href="/docs">{messages.reference}</a>
      </footer>
      <UndoBar />
      <LedgerDialog />
      <ShopDialog />
      <NewGuestDialog />
      <AccountDialog />
      <DeleteAccountDialog />
      <p className="visually-hidden" id="announce" role="status">
        {announcement}
      </p>
    </>
  );
}
