/** Thrown when an OpenAPI document, or what a task needs of it, cannot be used. The message is a clause, for the compiler. */
export class OutsideOfSubset extends Error {
  override readonly name = 'OutsideOfSubset';

  constructor(
    message: string,
    /** What to do instead. */
    readonly hint?: string,
  ) {
    super(message);
  }
}
