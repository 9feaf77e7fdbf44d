import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { userInfo } from 'node:os';
import { taskQueueOf } from '../../lib/environment.ts';
import { decideApproval, resolveHeldTask } from '../../temporal/runs/decisions.ts';
import { findRun } from '../../temporal/runs/find-run.ts';
import { DECISIONS } from '../../workflows/plan/runs/decide-command.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';
import { environment, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

interface Options {
  readonly as: string;
  readonly comment?: string;
  readonly form?: JsonObject;
}

const CHOICES = [...DECISIONS.approval, ...DECISIONS.held];

/** `sluice decide`: records a decision for a run that waits for people. */
export const command = new Command('decide')
  .description(
    'Decide on a task that waits for a person: an approval (approve, reject), or a task on hold after a failure (retry, skip, fail).',
  )
  .argument('<run>', 'the run id, as `sluice runs --waiting` shows it; or a dag_id with only one waiting run')
  .argument('<task>', 'the waiting task')
  .addArgument(new Argument('<decision>', 'for an approval: approve, reject; for a task on hold: retry, skip, fail').choices(CHOICES))
  .addOption(new Option('--as <name>', 'who makes the decision').default(userInfo().username))
  .option('--comment <text>', 'why; recorded in the run')
  .option('--form <json>', 'the form fields that the approval requires, as JSON', parseForm)
  .addHelpText(
    'after',
    `
Examples:
  sluice decide recommendation_model_retraining/manual/2024-05-01 approve_promotion approve --comment "metrics are fine"
  sluice decide product_category_etl/manual/2024-05-01 load_category_data retry

The Temporal UI can send the same decisions, as the updates \`decide\` and \`resolve-held\`.`,
  )
  .action(async (name: string, task: string, decision: (typeof CHOICES)[number], { as: by, comment, form }: Options) => {
    const answer = await withClient(async (client) => {
      const run = await findRun(client, name, 'waiting', taskQueueOf(environment));
      if (decision === 'approve' || decision === 'reject') {
        return decideApproval(client, run, { task, decision, by, ...(comment !== undefined && { comment }), ...(form && { form }) });
      }
      return resolveHeldTask(client, run, { task, action: decision, by, ...(comment !== undefined && { reason: comment }) });
    });
    say(`${task}: ${answer}`);
  });

function parseForm(text: string): JsonObject {
  try {
    const value = parseExactJson(text);
    if (isMap(value)) return value;
  } catch {
    // reported below
  }
  throw new InvalidArgumentError('Must be a JSON object, such as {"reason": "fine"}.');
}
