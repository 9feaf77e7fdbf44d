import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { userInfo } from 'node:os';
import { decideApproval, resolveHeldTask } from '../../temporal/runs/decisions.ts';
import { findRun } from '../../temporal/runs/find-run.ts';
import { DECISIONS } from '../../workflows/plan/runs/decide-command.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';
import { say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

interface Options {
  readonly as: string;
  readonly comment?: string;
  readonly form?: JsonObject;
}

const CHOICES = [...DECISIONS.approval, ...DECISIONS.held];

/** `sluice decide`: what people decide of a run that waits for them. */
export const command = new Command('decide')
  .description('Decide on a task that waits for people: an approval (approve, reject), or one that is held on failure (retry, skip, fail).')
  .argument('<run>', 'the run, as `sluice runs --waiting` shows it; or a dag_id where only one run waits')
  .argument('<task>', 'the task that waits')
  .addArgument(new Argument('<decision>', 'of an approval: approve, reject; of a held task: retry, skip, fail').choices(CHOICES))
  .addOption(new Option('--as <name>', 'who decides').default(userInfo().username))
  .option('--comment <text>', 'why; shown in the run')
  .option('--form <json>', 'the fields that an approval asks for, as JSON', parseForm)
  .addHelpText(
    'after',
    `
Examples:
  sluice decide recommendation_model_retraining/manual/2024-05-01 approve_promotion approve --comment "metrics are fine"
  sluice decide product_category_etl/manual/2024-05-01 load_category_data retry

The Temporal UI can send the same, as the updates \`decide\` and \`resolve-held\`.`,
  )
  .action(async (name: string, task: string, decision: (typeof CHOICES)[number], { as: by, comment, form }: Options) => {
    const told = await withClient(async (client) => {
      const run = await findRun(client, name, 'waiting');
      if (decision === 'approve' || decision === 'reject') {
        return decideApproval(client, run, { task, decision, by, ...(comment !== undefined && { comment }), ...(form && { form }) });
      }
      return resolveHeldTask(client, run, { task, action: decision, by, ...(comment !== undefined && { reason: comment }) });
    });
    say(`${task}: ${told}`);
  });

function parseForm(text: string): JsonObject {
  try {
    const value = parseExactJson(text);
    if (isMap(value)) return value;
  } catch {
    // told below
  }
  throw new InvalidArgumentError('A form is a JSON map, such as {"reason": "fine"}.');
}
