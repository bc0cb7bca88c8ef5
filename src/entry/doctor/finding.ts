/** What the doctor says of one variable. */

/**
 * `wrong`: something does not work, or not as it is meant. `warning`: it may be meant. `untried`: it cannot be known before it is
 * used. No text holds a secret.
 */
export type Finding = {
  level: 'wrong' | 'warning' | 'untried' | 'fine';
  /** The variable, or `clock`. */
  name: string;
  /** To be read after the name, without a full stop. */
  problem: string;
  /** What to do, in sentences. */
  mend?: string;
};

export const wrong = (name: string, problem: string, mend: string): Finding => ({
  level: 'wrong',
  name,
  problem,
  mend,
});
export const warning = (name: string, problem: string, mend: string): Finding => ({
  level: 'warning',
  name,
  problem,
  mend,
});
export const fine = (name: string, problem: string): Finding => ({ level: 'fine', name, problem });
export const untried = (name: string, problem: string): Finding => ({ level: 'untried', name, problem });
