/** `text` null: the file has no reason to be there any more. */
export type Generated = { file: string; text: string | null };
