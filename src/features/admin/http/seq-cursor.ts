import { Problem } from '../../../kernel/errors.ts';
import { decodeSeq, encodeSeq } from '../../../kernel/list-cursor.ts';

/** The sequence number behind which a page begins; null for the first. Throws ERR_4006 for a cursor of another list or of other filters. */
export async function afterSeqOf(list: string, filters: object, cursor: string | null): Promise<number | null> {
  if (cursor === null) return null;
  const seq = await decodeSeq(list, filters, cursor);
  if (seq === null) throw new Problem('ERR_4006', { details: { field: 'cursor' } });
  return seq;
}

export async function nextCursorOf(list: string, filters: object, seq: number | null): Promise<string | null> {
  return seq === null ? null : encodeSeq(list, filters, seq);
}
