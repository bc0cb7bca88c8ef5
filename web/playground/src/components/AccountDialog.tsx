import type { Profile } from '@rendio/client';
import { useEffect } from 'react';
import { exportData, loadAccount, signOut } from '../store/account.ts';
import { update, useMessages, useStore } from '../store/store.ts';
import { AccountError } from './AccountError.tsx';
import { AppleButton } from './AppleButton.tsx';
import { Dialog } from './Dialog.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { SessionList } from './SessionList.tsx';

/** Who the user is, and everything that they can do with their account. */
export function AccountDialog() {
  const messages = useMessages();
  const isOpen = useStore((state) => state.dialog === 'account');
  const { profile, error } = useStore((state) => state.account);
  const note = useStore((state) => state.accountNote);
  useEffect(() => {
    if (!isOpen) return;
    update({ accountError: null, accountNote: '' });
    loadAccount();
  }, [isOpen]);
  return (
    <Dialog id="account" title={messages.account} isOpen={isOpen}>
      {profile ? <Who profile={profile} /> : null}
      {!profile && !error ? <Loading /> : null}
      <ErrorNote error={error} />
      {error ? (
        <button type="button" className="button" onClick={loadAccount}>
          {messages.retry}
        </button>
      ) : null}
      <p className="account-note" id="account-note" role="status">
        {note}
      </p>
      <AccountError />
      {profile?.is_guest ? <MergeOffer /> : null}
      <SessionList />
      {profile ? <Data /> : null}
      {profile ? <Leave isGuest={profile.is_guest} /> : null}
    </Dialog>
  );
}

function Loading() {
  return (
    <div className="account-loading" aria-hidden="true">
      <p className="skeleton line" />
      <p className="skeleton line" />
    </div>
  );
}

function Who({ profile }: { profile: Profile }) {
  const messages = useMessages();
  const credits = useStore((state) => state.credits);
  return (
    <div className="who">
      <div>
        <p className="who-name">{profile.is_guest ? messages.guest : (profile.email ?? messages.noEmail)}</p>
        <p className="hint">{profile.is_guest ? messages.guestHint : messages.appleUser}</p>
      </div>
      <p className="who-credits">{messages.credits(credits ?? profile.credits_remaining)}</p>
    </div>
  );
}

/** What a guest brings along, said before the button is pressed. */
function MergeOffer() {
  const messages = useMessages();
  const appleUrl = useStore((state) => state.appleUrl);
  const credits = useStore((state) => state.credits);
  const videos = useStore((state) => state.account.videos);
  if (appleUrl === null || credits === null || videos === null) return null;
  return (
    <section className="account-part offer">
      <p id="merge-brings">{messages.mergeBrings(credits, videos)}</p>
      <AppleButton describedBy="merge-brings" />
    </section>
  );
}

function Data() {
  const messages = useMessages();
  const task = useStore((state) => state.accountTask);
  const isExporting = task === 'exporting';
  return (
    <section className="account-part split" aria-labelledby="data-title">
      <div>
        <h3 id="data-title">{messages.yourData}</h3>
        <p className="hint" id="export-hint">
          {messages.exportHint}
        </p>
      </div>
      <button
        type="button"
        className="button"
        id="export"
        aria-describedby="data-title export-hint"
        aria-disabled={task !== null}
        onClick={exportData}
      >
        {isExporting ? <span className="spinner" aria-hidden="true" /> : null}
        {isExporting ? messages.exporting : messages.exportData}
      </button>
    </section>
  );
}

function Leave({ isGuest }: { isGuest: boolean }) {
  const messages = useMessages();
  const task = useStore((state) => state.accountTask);
  return (
    <>
      {/* A guest's device would open the same account again. */}
      {isGuest ? null : (
        <p className="account-part account-actions">
          <button type="button" className="button" aria-disabled={task !== null} onClick={() => signOut('local')}>
            {messages.signOut}
          </button>
          <button type="button" className="button" aria-disabled={task !== null} onClick={() => signOut('global')}>
            {messages.signOutEverywhere}
          </button>
        </p>
      )}
      <p className="account-part account-actions">
        <button
          type="button"
          className="button danger-text"
          id="delete-account-open"
          aria-haspopup="dialog"
          aria-disabled={task !== null}
          onClick={() => task === null && update({ dialog: 'delete-account' })}
        >
          {messages.deleteAccount}
        </button>
      </p>
    </>
  );
}
