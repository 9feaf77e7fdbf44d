/**
 * Times of a consumer in its group, in milliseconds. A consumer that was killed stays in the group for the session timeout, and others that
 * join wait for it: this is the least that brokers allow.
 */
export const GROUP_TIMES = { sessionTimeout: 6_000, rebalanceTimeout: 10_000, heartbeatInterval: 1_500 } as const;
