/** Bounds how many files one reader is being sent at once: each holds a connection and an open file until it is read. */
import { rateLimited } from './rate-limit.ts';

/** A page of thumbnails takes two dozen, and several phones may share an IP address. */
const AT_ONCE_MAX = 200;
const RETRY_AFTER_SECONDS = 1;

export type Downloads = {
  /** Counts a download of this reader, until the returned function is called. Throws ERR_4004 (429) at the bound. */
  begin(reader: string): () => void;
};

export function createDownloads(max = AT_ONCE_MAX): Downloads {
  const open = new Map<string, number>();
  return {
    begin(reader) {
      const count = open.get(reader) ?? 0;
      if (count >= max) {
        const state = { windowSeconds: null, remaining: 0, resetSeconds: RETRY_AFTER_SECONDS };
        throw rateLimited({ policy: 'downloads', limit: max, ...state });
      }
      open.set(reader, count + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (open.get(reader) ?? 1) - 1;
        if (left > 0) open.set(reader, left);
        else open.delete(reader);
      };
    },
  };
}
