import type { ResourceType } from './define-resource.ts';
import { kafkaTopic } from './kafka-topic.ts';

/**
 * All resource types. To add one, write its file in this folder and list it here. Resources are created in this order, and deleted in the
 * opposite one.
 */
export const RESOURCES: readonly ResourceType[] = [kafkaTopic];
