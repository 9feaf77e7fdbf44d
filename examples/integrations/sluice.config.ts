import { defineConfig } from 'sluice';

/** A project that works with the systems around a shop: RabbitMQ, Kafka Connect, a legacy database, files of old formats and HTTP services. */
export default defineConfig({ deployment: 'integrations' });
