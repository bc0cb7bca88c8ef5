/** `text` is null for a file that has to be removed. */
export type Generated = { file: string; text: string | null };
