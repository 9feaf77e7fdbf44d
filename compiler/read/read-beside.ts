/** Reads a file by its path relative to a pipeline's file. */
export type ReadBeside = (path: string) => ReadText;

/** A text with its file name for messages, or why it was not read, with a fix. */
export type ReadText = { readonly file: string; readonly text: string } | { readonly refused: string; readonly hint?: string };
