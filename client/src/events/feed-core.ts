/** What the ways in which news reach the client share. */
import type { Http } from '../http/http.ts';
import type { Api } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { JobEvent } from '../types.ts';
import type { Source, Told } from './delivered-events.ts';

/**
 * `live`: events come as they happen. `polling`: the stream does not come through, the client asks instead.
 * `offline`: nobody answers, or the server refuses.
 */
export type FeedState = 'connecting' | 'live' | 'polling' | 'offline';

/** Whose events are told, and how far; times in milliseconds by this machine's clock. */
export type Place = {
  account: string | null;
  /** Null: the stream begins with how things stand. */
  lastId: string | null;
  told: Told;
  startedAt: number;
  /** When the stream last began anew. */
  openedAt: number;
  lostAt: number;
};

/** What the two ways to news share. */
export type FeedCore = {
  api: Api;
  http: Http;
  sessions: Sessions;
  place(): Place;
  state(): FeedState;
  setState(state: FeedState, error?: unknown): void;
  tell(event: JobEvent, source: Source): void;
  /** Finds out whose events they are; another account's begin anew. */
  enter(): Promise<void>;
};
