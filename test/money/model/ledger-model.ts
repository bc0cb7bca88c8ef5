/** What the ledger must do, in memory and one operation after another: the model that random operations are compared with. */

export type Lot = {
  amount: number;
  remaining: number;
  isPurchased: boolean;
  expiresAt: number | null;
  purchase: string | null;
  seq: number;
};
type Payment = { lot: Lot; amount: number }[];
type Job = { account: Account; price: number; paid: Payment; isOpen: boolean };
type Purchase = {
  owner: Account | null;
  credits: number;
  takenBack: number;
  isRefunded: boolean;
  decidedAt: number;
};

export class Account {
  balance = 0;
  total = 0;
  lots: Lot[] = [];
  isDeleted = false;
  survivor: Account | null = null;
}

/** `now` is the model's clock; the test moves it and the database's lots together. */
export class LedgerModel {
  now = 0;
  #seq = 0;
  readonly purchases = new Map<string, Purchase>();
  readonly jobs: Job[] = [];

  /** The account that an id addresses. */
  of(account: Account): Account {
    return account.survivor ? this.of(account.survivor) : account;
  }

  grant(account: Account, amount: number, expiresAt: number | null): string {
    const user = this.of(account);
    if (user.isDeleted) return 'not found';
    this.#expire(user);
    user.total += amount;
    this.#add(user, amount, { isPurchased: false, expiresAt, purchase: null });
    this.#expire(user);
    return 'granted';
  }

  buy(id: string, caller: Account | null, token: Account | 'unknown' | null, credits: number): string {
    if (!caller && !token) return 'no_owner';
    const known = token === 'unknown' ? null : token;
    const user = caller ? this.of(caller) : known ? this.of(known) : null;
    if (!user || user.isDeleted) return caller ? 'user_not_found' : 'foreign';
    const purchase = this.#purchase(id);
    if (purchase.owner) return this.of(purchase.owner) === user ? 'repeated' : 'foreign';
    if (token && (!known || this.of(known) !== user)) return 'foreign';
    if (purchase.isRefunded) return 'refunded';
    purchase.owner = user;
    purchase.credits = credits;
    user.total += credits;
    this.#add(user, credits, { isPurchased: true, expiresAt: null, purchase: id });
    this.#expire(user);
    return 'credited';
  }

  /** `share`: the refunded part, 0 to 1. */
  refund(id: string, decidedAt: number, isRefund: boolean, share: number): string {
    const purchase = this.#purchase(id);
    if (purchase.decidedAt >= decidedAt) return 'outdated';
    purchase.decidedAt = decidedAt;
    purchase.isRefunded = isRefund;
    if (!purchase.owner) return 'not_credited';
    const user = this.of(purchase.owner);
    const target = isRefund ? Math.floor(purchase.credits * share) : 0;
    const change = purchase.takenBack - target;
    if (change === 0 || (isRefund && change > 0)) return 'unchanged';
    purchase.takenBack = target;
    if (isRefund) this.#takeBack(user, -change, id);
    else {
      this.#add(user, change, { isPurchased: true, expiresAt: null, purchase: id });
      this.#expire(user);
    }
    return isRefund ? 'taken_back' : 'given_back';
  }

  begin(account: Account, price: number): { outcome: string; job: number } {
    const user = this.of(account);
    if (user.isDeleted) return { outcome: 'user_not_found', job: -1 };
    this.#expire(user);
    if (user.balance < price) return { outcome: 'insufficient_credits', job: -1 };
    user.balance -= price;
    this.jobs.push({ account: user, price, paid: this.#take(user, price), isOpen: true });
    return { outcome: 'created', job: this.jobs.length - 1 };
  }

  end(index: number, isRefunded: boolean): boolean {
    const job = this.jobs[index];
    if (!job?.isOpen) return false;
    job.isOpen = false;
    if (!isRefunded) return true;
    const user = this.of(job.account);
    for (const { lot, amount } of job.paid) lot.remaining += amount;
    this.#credit(user, job.price);
    this.#expire(user);
    return true;
  }

  correct(account: Account, amount: number): string {
    const user = this.of(account);
    if (user.isDeleted) return 'not found';
    this.#expire(user);
    if (user.balance < amount) return 'insufficient';
    user.balance -= amount;
    this.#take(user, amount);
    return 'taken';
  }

  merge(guest: Account, survivor: Account): void {
    const balance = guest.balance;
    guest.survivor = survivor;
    survivor.lots.push(...guest.lots);
    guest.lots = [];
    guest.balance = 0;
    const held = survivor.lots.reduce((sum, { remaining }) => sum + remaining, 0);
    survivor.balance += balance;
    survivor.total += guest.total;
    guest.total = 0;
    this.#take(survivor, held - Math.max(survivor.balance, 0));
  }

  remove(account: Account): void {
    const user = this.of(account);
    if (user.isDeleted) return;
    this.jobs.forEach((job, index) => {
      if (job.isOpen && this.of(job.account) === user) this.end(index, true);
    });
    user.isDeleted = true;
  }

  expireAll(accounts: Account[]): void {
    for (const account of accounts) this.#expire(account);
  }

  #purchase(id: string): Purchase {
    const known = this.purchases.get(id);
    if (known) return known;
    const made = { owner: null, credits: 0, takenBack: 0, isRefunded: false, decidedAt: -1 };
    this.purchases.set(id, made);
    return made;
  }

  #add(user: Account, amount: number, lot: Pick<Lot, 'isPurchased' | 'expiresAt' | 'purchase'>): void {
    this.#seq += 1;
    user.lots.push({ ...lot, amount, remaining: amount, seq: this.#seq });
    this.#credit(user, amount);
  }

  /** Adds to the balance what is in the lots already; a debt is repaid out of them. */
  #credit(user: Account, amount: number): void {
    const debt = Math.max(-user.balance, 0);
    user.balance += amount;
    this.#take(user, Math.min(amount, debt));
  }

  #takeBack(user: Account, amount: number, purchase: string): void {
    const covered = Math.min(amount, Math.max(user.balance, 0));
    user.balance -= amount;
    const own = user.lots.filter((lot) => lot.purchase === purchase).sort((a, b) => a.seq - b.seq);
    let left = covered;
    for (const lot of own) {
      const taken = Math.min(lot.remaining, left);
      lot.remaining -= taken;
      left -= taken;
    }
    this.#take(user, left);
  }

  #take(user: Account, amount: number): Payment {
    const paid: Payment = [];
    let left = amount;
    for (const lot of [...user.lots].sort(inSpendingOrder)) {
      if (left === 0) break;
      const taken = Math.min(lot.remaining, left);
      if (taken === 0) continue;
      lot.remaining -= taken;
      left -= taken;
      paid.push({ lot, amount: taken });
    }
    if (left > 0) throw new Error(`the model’s lots hold ${left} credits too few`);
    return paid;
  }

  #expire(user: Account): void {
    for (const lot of user.lots) {
      if (lot.expiresAt === null || lot.expiresAt > this.now || lot.remaining === 0) continue;
      user.balance -= lot.remaining;
      lot.remaining = 0;
    }
  }
}

function inSpendingOrder(a: Lot, b: Lot): number {
  if (a.isPurchased !== b.isPurchased) return a.isPurchased ? 1 : -1;
  return (a.expiresAt ?? Number.POSITIVE_INFINITY) - (b.expiresAt ?? Number.POSITIVE_INFINITY) || a.seq - b.seq;
}
