import { apiRelease } from './api-release.ts';
import { catalogue } from './catalogue.ts';
import { declaredResources } from './declared-resources.ts';
import type { IntegrationStop } from './integration-stop.ts';
import { inventory } from './inventory.ts';
import { orders } from './orders.ts';
import { recommendations } from './recommendations.ts';

/** The stops of the tour, in their order. */
export const integrationStops: readonly IntegrationStop[] = [declaredResources, orders, catalogue, inventory, recommendations, apiRelease];
