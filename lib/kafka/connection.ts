export const KAFKA_SECURITY = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export interface KafkaConnection {
  readonly type: 'kafka';
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly security_protocol?: (typeof KAFKA_SECURITY)[number];
  /** Default: `PLAIN`. */
  readonly sasl_mechanism?: (typeof SASL_MECHANISMS)[number];
  readonly username?: string;
  readonly password?: string;
  /** A file with trusted certificates; absent: those of the machine. */
  readonly ca?: string;
  /** The address of a Schema Registry, with user and password if it requires them. */
  readonly schema_registry?: string;
}
