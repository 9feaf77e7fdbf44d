export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Where a database is, and who logs in. */
export interface SqlServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** As libpq's: `disable`, `require` (encrypted, not verified), `verify-full`. */
  readonly sslmode: SslMode;
}
