/** Environment variables with credentials, besides connections. */
const SECRETS = /^(SLUICE_PAYLOAD_KEYS|TEMPORAL_API_KEY|TEMPORAL_TLS_\w*KEY_DATA|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN)$/;

export function isSecretVariable(name: string): boolean {
  return SECRETS.test(name);
}
