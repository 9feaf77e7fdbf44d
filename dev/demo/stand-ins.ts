import type { Environment } from '../../lib/environment.ts';
import { findProgram } from '../../lib/find-program.ts';
import { replaceStackEnvironment } from '../stack-environment.ts';
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

const SERVICE = 'SLUICE_CONN_RECOMMENDATION_SERVICE';

/**
 * Starts those on loopback for which the environment names nothing else.
 * @param home of the stack: `sluice …` in another terminal is told where the recommendation service is. Not so PagerDuty, whose
 * certificate only processes that are started with it trust.
 */
export async function startStandIns(home: string, given: Environment): Promise<StandIns> {
  const canStandIn = !given.SLUICE_CONN_PAGERDUTY_DEFAULT && findProgram('openssl', given) !== undefined;
  const pagerDuty = canStandIn ? await PagerDutyStandIn.start() : undefined;
  const service: RecommendationService | undefined = given[SERVICE] ? undefined : await startRecommendationService();
  const told = { ...(service && { [SERVICE]: service.url }) };
  const tell = (values: Record<string, string>): Promise<void> => replaceStackEnvironment(home, [{ variables: [SERVICE] }], values);
  await tell(told);
  return {
    environment: { ...pagerDuty?.environment, ...told },
    ...(pagerDuty && { pagerDuty }),
    async close() {
      await tell({});
      await pagerDuty?.close();
      await service?.close();
    },
  };
}
