import type { ResourceType } from './define-resource.ts';
import { kafkaConnector } from './kafka-connector.ts';
import { kafkaTopic } from './kafka-topic.ts';
import { rabbitmqExchange } from './rabbitmq-exchange.ts';
import { rabbitmqQueue } from './rabbitmq-queue.ts';
import { s3Bucket } from './s3-bucket.ts';
import { schemaSubject } from './schema-subject.ts';

/**
 * All resource types. To add one, write its file in this folder and list it here. Resources are created in this order, and deleted in the
 * opposite one.
 */
export const RESOURCES: readonly ResourceType[] = [kafkaTopic, schemaSubject, rabbitmqExchange, rabbitmqQueue, s3Bucket, kafkaConnector];
