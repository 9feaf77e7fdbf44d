import type { Environment } from '../../lib/environment.ts';
import { findProgram } from '../../lib/find-program.ts';
import { replaceStackEnvironment } from '../stack-environment.ts';
import { PagerDutyStandIn } from './pagerduty-stand-in.ts';
import { type RecommendationService, startRecommendationService } from './recommendation-service.ts';

/** Services that the demo's pipelines need, and that a laptop does not have. */
export interface StandIns {
  /** The variables with their connections. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absent if the environment names another PagerDuty, or if openssl is not available for a certificate. */
  readonly pagerDuty?: PagerDutyStandIn;
  close(): Promise<void>;
}

const SERVICE = 'SLUICE_CONN_RECOMMENDATION_SERVICE';

/**
 * Starts stand-ins on loopback for services that the environment does not name.
 * @param home of the stack: it makes the recommendation service known to `sluice …` in another terminal. PagerDuty is not shared, because
 * only child processes trust its certificate.
 */
export async function startStandIns(home: string, given: Environment): Promise<StandIns> {
  const pagerDuty = await startPagerDuty(given);
  const service: RecommendationService | undefined = given[SERVICE] ? undefined : await startRecommendationService();
  const variables = { ...(service && { [SERVICE]: service.url }) };
  const announce = (values: Record<string, string>): Promise<void> => replaceStackEnvironment(home, [{ variables: [SERVICE] }], values);
  await announce(variables);
  return {
    environment: { ...pagerDuty?.environment, ...variables },
    ...(pagerDuty && { pagerDuty }),
    async close() {
      await announce({});
      await pagerDuty?.close();
      await service?.close();
    },
  };
}

/** Starts a stand-in for PagerDuty. @returns undefined if the environment names another one, or if openssl is not available for a certificate */
export async function startPagerDuty(given: Environment): Promise<PagerDutyStandIn | undefined> {
  const canStandIn = !given.SLUICE_CONN_PAGERDUTY_DEFAULT && findProgram('openssl', given) !== undefined;
  return canStandIn ? PagerDutyStandIn.start() : undefined;
}
