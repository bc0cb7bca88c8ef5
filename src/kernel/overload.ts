/** What a process has too much work for. */
export type Overload = 'database' | 'memory' | 'event loop';

/** Null: new work can be taken. Called for every request, so it costs nothing. */
export type ReadOverload = () => Overload | null;
