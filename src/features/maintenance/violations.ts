/** The rules of the money that a check can find broken, and what each violation is in a sentence. */

export type Violation = { invariant: string; subject: string; details: unknown };

/** By rule. A word in braces is a field of the violation's details; `{subject}` is its subject. */
export const SENTENCES: Record<string, string> = {
  'a balance equals the sum of its ledger rows':
    'Account {subject} has a balance of {balance}, but its ledger rows add up to {sum}.',
  'every row carries the balance after it':
    'Ledger row {subject} of account {user_id} changes {balance_before} by {change}, but says that {balance_after} is left.',
  "nothing but a store's refund leaves a debt":
    'Ledger row {subject} of account {user_id} ({reason}, {change}) leaves a debt: {balance_after}.',
  'an account has one initial grant': 'Account {subject} got the initial grant {grants} times.',
  'a transaction is credited once':
    'Ledger row {subject} of account {user_id} credits the transaction {transaction_id} once more: {change}.',
  'the lifetime total counts grants and purchases':
    'Account {subject} has earned {credits_total} in its lifetime, but its grants and purchases add up to {sum}, and merges to {merged}.',
  'a merged guest keeps nothing':
    'Guest {subject} was merged into {survivor}, but still has a balance ({balance}) or jobs, or is not deleted (deleted: {is_deleted}).',
  'a merge moves what it takes':
    'Merges brought {arrived} to account {subject}, but took {left} from the guests that were merged into it.',
  'a generation has one charge, of its price':
    'Job {subject} of account {user_id} costs {credits_used}, but was charged {charged} in {charges} ledger rows ({of_others} rows are of other accounts).',
  'a failed generation has its credits back, once, and no other has':
    'Job {subject} of account {user_id} ({status}, {credits_used} credits) was refunded {refunded} in {refunds} ledger rows.',
  'a refund goes back to the lots that paid':
    'Lot {lot} of account {user_id} paid {paid} for job {subject}, which was refunded, but got {returned} back.',
  'a generation ends within a day of its deadline':
    'Job {subject} of account {user_id} is still {status}, although its deadline was {deadline_at}.',
  'job counters say what the jobs say':
    'Account {subject} has {counted} jobs that are {status}, but its counter says {kept}.',
  'lots hold the balance': 'Account {subject} has a balance of {balance}, but its lots hold {held}.',
  'a lot is its amount and its movements':
    'Lot {subject} of account {user_id} began with {amount} and its movements add up to {movements}, but {remaining} remain.',
  'a ledger row changes the lots as much as the balance':
    'Ledger row {subject} of account {user_id} ({reason}) should change the lots by {expected}, but changes them by {in_lots}.',
  'lots and purchases belong to accounts': 'The {kind} {subject} belongs to {user_id}, and there is no such account.',
  'a purchase is what its ledger rows say':
    'Purchase {subject} of account {user_id} says {credits} credited and {taken_back} taken back, but its ledger rows say {credited} (in {rows} rows) and {taken} ({of_others} rows are of other accounts).',
};

/** What is wrong, with the subject and the figures. */
export function explainViolation({ invariant, subject, details }: Violation): string {
  const values: Record<string, unknown> = { ...Object(details), subject };
  const sentence = SENTENCES[invariant] ?? `${invariant}: {subject}.`;
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => textOf(values[name]));
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
