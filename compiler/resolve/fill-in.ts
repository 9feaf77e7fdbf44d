/** A decision of the compiler where the file leaves a choice; `sluice plan` shows it. */
export interface FillIn {
  /** The task concerned; absent: the pipeline itself. */
  readonly task?: string;
  readonly what: string;
  readonly value: string;
  readonly why: string;
}
