import type { Transaction } from '@rendio/client';
import { useEffect } from 'react';
import { labelOf } from '../i18n/index.ts';
import { loadLedger, showPaidVideo } from '../store/ledger.ts';
import { useLanguage, useMessages, useStore } from '../store/store.ts';
import { Dialog } from './Dialog.tsx';
import { ErrorNote } from './ErrorNote.tsx';

/** The credit history, newest first. */
export function LedgerDialog() {
  const messages = useMessages();
  const isOpen = useStore((state) => state.dialog === 'ledger');
  const credits = useStore((state) => state.credits);
  const { rows, cursor, error } = useStore((state) => state.ledger);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the balance changes there is a new row
  useEffect(() => {
    if (isOpen) loadLedger();
  }, [isOpen, credits]);
  return (
    <Dialog id="ledger" title={messages.ledger} isOpen={isOpen}>
      <p className="dialog-figure">{credits === null ? '' : messages.balance(credits)}</p>
      <ErrorNote error={error} />
      {rows?.length === 0 ? <p>{messages.ledgerEmpty}</p> : null}
      {rows === null && !error ? <p className="skeleton line" aria-hidden="true" /> : null}
      <ol className="rows" id="rows">
        {rows?.map((row) => (
          <Row row={row} key={row.id} />
        ))}
      </ol>
      {cursor ? (
        <button type="button" className="button" onClick={() => loadLedger(true)}>
          {messages.more}
        </button>
      ) : null}
    </Dialog>
  );
}

function Row({ row }: { row: Transaction }) {
  const messages = useMessages();
  const language = useLanguage();
  const { job_id: jobId } = row;
  const prompt = useStore((state) => state.jobs?.find(({ job_id }) => job_id === jobId)?.prompt);
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const change = new Intl.NumberFormat(language, { signDisplay: 'exceptZero' });
  return (
    <li>
      <div>
        <p className="what">{labelOf(messages.reasons, row.reason)}</p>
        {jobId ? (
          <button type="button" className="quiet" onClick={() => showPaidVideo(jobId).catch(() => {})}>
            {prompt ?? messages.showVideo}
          </button>
        ) : null}
        <p className="when">
          <time dateTime={row.created_at}>{time.format(new Date(row.created_at))}</time>
        </p>
      </div>
      <p className="amounts">
        <strong className={row.change > 0 ? 'change up' : 'change'}>{change.format(row.change)}</strong>
        <span>{messages.balanceAfter(row.balance_after)}</span>
      </p>
    </li>
  );
}
