/**
 * Timeouts of a consumer in its group, in milliseconds. A killed consumer stays in the group for the session timeout, and joining members
 * wait for it: this is the minimum that brokers allow.
 */
export const GROUP_TIMES = { sessionTimeout: 6_000, rebalanceTimeout: 10_000, heartbeatInterval: 1_500 } as const;
