/** What an analyst has declared to be no difference in a column. */
export interface Normalization {
  /** Numbers are rounded to so many digits after the point. */
  readonly scale?: number;
  /** Blanks at both ends do not count. */
  readonly trim?: boolean;
  /** The empty text counts as NULL. */
  readonly empty_is_null?: boolean;
  /** Upper and lower case count as the same. */
  readonly ignore_case?: boolean;
  /** Unicode's composed form. */
  readonly unicode?: 'nfc';
  /** 0 and 1 count as false and true. */
  readonly boolean?: boolean;
  /** Where a time without a zone was written down: an IANA name. */
  readonly timezone?: string;
  /** Times are cut down to it. */
  readonly precision?: 'day' | 'hour' | 'minute' | 'second' | 'millisecond';
}
