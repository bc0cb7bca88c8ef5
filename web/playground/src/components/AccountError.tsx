import { appleProblemOf } from '../store/account.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** Why the last thing that the user did with the account has failed. */
export function AccountError() {
  const messages = useMessages();
  const error = useStore((state) => state.accountError);
  const problem = appleProblemOf(error);
  if (!problem) return <ErrorNote id="account-error" error={error} />;
  return (
    <p className="error" id="account-error" role="alert">
      {messages.appleProblems[problem]}
    </p>
  );
}
