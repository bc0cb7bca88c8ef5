/** Which account a token's id addresses, as far as this process has learned it. */

/** Each is a hundred bytes. What is forgotten is learned again from the next call. */
const ALIASES_MAX = 10_000;

export type AccountAliases = {
  /** The account of a merged guest's id; any other id itself. */
  accountOf(id: string): string;
  learn(id: string, accountId: string): void;
};

/** Keeps the newest aliases: limits that are taken before the account is read are then the same for all its ids. */
export function createAccountAliases(aliasesMax = ALIASES_MAX): AccountAliases {
  const accounts = new Map<string, string>();
  return {
    accountOf: (id) => accounts.get(id) ?? id,
    learn(id, accountId) {
      if (id === accountId || accounts.get(id) === accountId) return;
      const [oldest] = accounts.keys();
      if (accounts.size >= aliasesMax && oldest !== undefined) accounts.delete(oldest);
      accounts.set(id, accountId);
    },
  };
}
