/** Differences in a column that the analyst has declared as irrelevant. */
export interface Normalization {
  /** Numbers are rounded to this many digits after the decimal point. */
  readonly scale?: number;
  /** Spaces at both ends are ignored. */
  readonly trim?: boolean;
  /** The empty text counts as NULL. */
  readonly empty_is_null?: boolean;
  /** Letter case is ignored. */
  readonly ignore_case?: boolean;
  /** Texts are compared in Unicode's composed form. */
  readonly unicode?: 'nfc';
  /** 0 and 1 count as false and true. */
  readonly boolean?: boolean;
  /** The zone of times that are stored without one: an IANA name. */
  readonly timezone?: string;
  /** Times are truncated to this unit. */
  readonly precision?: 'day' | 'hour' | 'minute' | 'second' | 'millisecond';
}
