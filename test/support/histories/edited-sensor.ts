import assert from 'node:assert/strict';
import { applySensorChange } from '../../../temporal/sensors/sensors.ts';
import { SENSOR_QUERY, sensorId } from '../../../workflows/plan/sensor.ts';
import { eventually } from '../eventually.ts';
import { planOf } from '../yaml-runs.ts';
import type { Stage } from './stage.ts';

/** A Kafka sensor whose pipeline is edited, on a new topic. It runs on the first worker of the stage. */
export class EditedSensor {
  readonly id: string;

  private constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly taskQueue: string,
  ) {
    this.id = sensorId(name, 'ev');
  }

  /** @param name of the pipeline and the topic, without the stage's tag */
  static async create(stage: Stage, name: string): Promise<EditedSensor> {
    const { taskQueue } = stage.workers[0] ?? assert.fail();
    const unique = `${name}_${stage.tag}`;
    await stage.kafka.createTopic(unique);
    return new EditedSensor(stage, unique, taskQueue);
  }

  /** Applies the pipeline with a description, which makes another plan. */
  apply(action: 'start' | 'update', description: string): Promise<void> {
    const { id, name } = this;
    const plan = planOf(`
dag_id: ${name}
description: ${description}
triggers: [{name: ev, type: kafka, topic: ${name}, start: earliest, dedup_key: event.key}]
tasks: [{name: a, type: empty}]
`);
    return applySensorChange(this.stage.client, { id, action, plan, trigger: 'ev' }, this.taskQueue);
  }

  /** Sends an event, waits for the end of its run, and stops the sensor, which must be running without a problem. */
  async startsRun(withinMs: number): Promise<void> {
    const { client, kafka } = this.stage;
    await kafka.sendJson(this.name, [{ key: 'k' }]);
    await eventually(() => client.workflow.getHandle(`${this.name}/kafka/k`).result(), withinMs);
    const { state, why } = await client.workflow.getHandle(this.id).query(SENSOR_QUERY);
    assert.deepEqual([state, why], ['running', undefined]);
    await applySensorChange(client, { id: this.id, action: 'stop' }, this.taskQueue);
  }
}
