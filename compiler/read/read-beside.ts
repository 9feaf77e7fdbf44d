/** Reads a file by its path relative to a pipeline's file; or to `folder` of its project, if given. */
export type ReadBeside = (path: string, folder?: string) => ReadText;

/** A text with its file name for messages, or why it was not read, with a fix. */
export type ReadText = { readonly file: string; readonly text: string } | { readonly refused: string; readonly hint?: string };
