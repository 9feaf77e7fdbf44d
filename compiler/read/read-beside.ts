/** Reads a file by its path from a pipeline's. */
export type ReadBeside = (path: string) => ReadText;

/** A text with its file as messages show it, or why it was not read, with what to do. */
export type ReadText = { readonly file: string; readonly text: string } | { readonly refused: string; readonly hint?: string };
