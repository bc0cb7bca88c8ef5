import type { SessionInfo } from '@rendio/client';
import { useRef } from 'react';
import { endSession, signOut } from '../store/account.ts';
import { useLanguage, useMessages, useStore } from '../store/store.ts';

/** Where the account is signed in, with a button to end each other session. */
export function SessionList() {
  const messages = useMessages();
  const sessions = useStore((state) => state.account.sessions);
  const task = useStore((state) => state.accountTask);
  const title = useRef<HTMLHeadingElement>(null);
  if (!sessions) return null;
  /** The pressed button disappears with its session: the focus moves to the title. */
  const endThen = async (ending: Promise<void>) => {
    await ending;
    if (document.activeElement === document.body || !document.activeElement?.isConnected) title.current?.focus();
  };
  const others = sessions.filter(({ is_current }) => !is_current);
  const current = sessions.filter(({ is_current }) => is_current);
  return (
    <section className="account-part" aria-labelledby="sessions-title">
      <div className="split">
        <h3 id="sessions-title" ref={title} tabIndex={-1}>
          {messages.sessions}
        </h3>
        {others.length > 1 ? (
          <button
            type="button"
            className="quiet"
            aria-disabled={task !== null}
            onClick={() => endThen(signOut('others'))}
          >
            {messages.endOthers}
          </button>
        ) : null}
      </div>
      <ul className="sessions" id="sessions">
        {[...current, ...others].map((session) => (
          <Session key={session.id} session={session} onEnd={() => endThen(endSession(session.id))} />
        ))}
      </ul>
    </section>
  );
}

function Session({ session, onEnd }: { session: SessionInfo; onEnd: () => void }) {
  const messages = useMessages();
  const language = useLanguage();
  const task = useStore((state) => state.accountTask);
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const seen = format.format(new Date(session.refreshed_at));
  return (
    <li className="split">
      <div>
        <p>{session.is_current ? messages.thisDevice : messages.otherDevice}</p>
        <p className="hint">{messages.lastSeen(seen)}</p>
      </div>
      {session.is_current ? null : (
        <button
          type="button"
          className="button"
          aria-label={messages.endSessionSeen(seen)}
          aria-disabled={task !== null}
          onClick={onEnd}
        >
          {messages.endSession}
        </button>
      )}
    </li>
  );
}
