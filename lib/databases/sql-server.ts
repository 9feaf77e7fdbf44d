export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** The address and credentials of a database. */
export interface SqlServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** As in libpq: `disable`, `require` (encrypted, not verified), `verify-full`. */
  readonly sslmode: SslMode;
}
