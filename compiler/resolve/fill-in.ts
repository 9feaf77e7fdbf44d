/** Something that the file leaves open and the compiler decided, for `sluice plan` to show. */
export interface FillIn {
  /** The task it is about; absent for the pipeline itself. */
  readonly task?: string;
  readonly what: string;
  readonly value: string;
  readonly why: string;
}
