import type { Environment } from '../../../lib/environment.ts';
import type { PartName } from '../../servers/parts/part.ts';
import type { TourGuide } from '../tour.ts';

/** One stop of the tour of `examples/integrations/`. */
export interface IntegrationStop {
  /** One sentence on what it shows, in the present tense. */
  readonly title: string;
  /** The servers that it needs, besides Temporal. */
  readonly parts: readonly PartName[];
  /**
   * Prepares the servers and starts services of its own, before the worker and the scheduler start.
   * @param settings the connections of the local stack @param onStop registers what to stop at the end of the tour
   * @returns variables for the platform's processes
   */
  prepare?(settings: Environment, onStop: (end: () => Promise<void>) => void): Promise<Readonly<Record<string, string>>>;
  /** Shows it. @throws when what it shows does not happen: the message says what was expected */
  show(guide: TourGuide): Promise<void>;
}
