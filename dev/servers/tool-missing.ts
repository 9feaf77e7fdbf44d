/**
 * Thrown while a part is fetched: the machine lacks what is needed for that. The message is one line: what is missing and how to get it.
 * It costs the part, not the start.
 */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}
