/** A value that no log, inspection, template or JSON ever shows; only `reveal()` gives it. */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }

  [Symbol.for('Deno.customInspect')](): string {
    return '[secret]';
  }
}

/** Wraps what is there; what is absent stays absent. */
export function secretOf<T>(value: T | undefined): Secret<T> | undefined {
  return value === undefined ? undefined : new Secret(value);
}
