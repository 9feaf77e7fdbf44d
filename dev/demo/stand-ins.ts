import type { Environment } from '../../lib/environment.ts';
import { findProgram } from '../find-program.ts';
import { PagerDutyStandIn } from './pagerduty-stand-in.ts';
import { type RecommendationService, startRecommendationService } from './recommendation-service.ts';

/** Services that the demo's pipelines talk to and that no laptop has. */
export interface StandIns {
  /** Their connections. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absent where the environment names a PagerDuty of its own, and where no openssl can make a certificate. */
  readonly pagerDuty?: PagerDutyStandIn;
  close(): Promise<void>;
}

/** Starts those on loopback for which the environment names nothing else. */
export async function startStandIns(given: Environment): Promise<StandIns> {
  const canStandIn = !given.SLUICE_CONN_PAGERDUTY_DEFAULT && findProgram('openssl', given) !== undefined;
  const pagerDuty = canStandIn ? await PagerDutyStandIn.start() : undefined;
  const service: RecommendationService | undefined = given.SLUICE_CONN_RECOMMENDATION_SERVICE
    ? undefined
    : await startRecommendationService();
  return {
    environment: { ...pagerDuty?.environment, ...(service && { SLUICE_CONN_RECOMMENDATION_SERVICE: service.url }) },
    ...(pagerDuty && { pagerDuty }),
    async close() {
      await pagerDuty?.close();
      await service?.close();
    },
  };
}
