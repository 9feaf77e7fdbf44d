/** The types of the connection that each channel needs. */
export const CHANNEL_CONNECTIONS = { slack: ['http'], pagerduty: ['pagerduty'], webhook: ['http'] } as const;
