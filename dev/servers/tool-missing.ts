/**
 * Thrown when the machine lacks what is needed to fetch a part. The message is one line: what is missing and how to get it. The start
 * continues without the part.
 */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}
