import { Command, Option } from 'commander';
import { drawAscii, listAscii } from '../../graph/ascii.ts';
import type { DrawnGraph } from '../../graph/drawn-graph.ts';
import { graphOfPlan } from '../../graph/graph-of-plan.ts';
import { drawMermaid } from '../../graph/mermaid.ts';
import { drawSvg } from '../../graph/svg.ts';
import { CommandError, PIPELINES, print } from '../command-context.ts';
import { findPlans } from '../find-plan.ts';

type Picture = 'ascii' | 'mermaid' | 'svg';
const FORMATS: readonly (Picture | 'json')[] = ['ascii', 'mermaid', 'svg', 'json'];

interface Options {
  readonly output: Picture | 'json';
}

/** Larger graphs are easier to read as a list. */
const LARGEST = { maxNodes: 60, maxColumns: 120 };

/** `sluice graph`: draws the dependencies of a pipeline. */
export const command = new Command('graph')
  .description('Draw the tasks of a pipeline and their dependencies.')
  .argument('[pipeline]', 'a dag_id, a YAML file or a folder', PIPELINES)
  .addOption(new Option('-o, --output <format>', 'output format').choices(FORMATS).default('ascii'))
  .addHelpText(
    'after',
    '\nExample:\n  sluice graph product_category_etl\n  sluice graph pipelines/sales.yaml -o svg > sales.svg\n\nExit codes: 0 success, 1 pipeline not found, 3 mistakes in files.',
  )
  .action(async (pipeline: string, { output }: Options) => {
    const graphs = (await findPlans(pipeline)).map((plan) => ({ dagId: plan.dagId, graph: graphOfPlan(plan) }));
    if (output === 'json')
      return print(
        { output },
        graphs.map(({ dagId, graph }) => ({ dag_id: dagId, ...graph })),
        '',
      );
    if (output === 'svg' && graphs.length > 1) {
      const ids = graphs.map(({ dagId }) => dagId).join(', ');
      throw new CommandError(`An SVG shows one pipeline, and ${pipeline} has ${graphs.length}. Choose one: ${ids}.`);
    }
    const pictures = graphs.map(({ dagId, graph }) => {
      const heading = graphs.length === 1 ? '' : output === 'mermaid' ? `%% ${dagId}\n` : `${dagId}\n\n`;
      return `${heading}${draw(output, graph, dagId)}`;
    });
    print({ output: 'text' }, undefined, pictures.join('\n\n'));
  });

function draw(picture: Picture, graph: DrawnGraph, dagId: string): string {
  switch (picture) {
    case 'ascii':
      return drawAscii(graph, LARGEST) ?? listAscii(graph);
    case 'mermaid':
      return drawMermaid(graph);
    case 'svg':
      return drawSvg(graph, dagId);
  }
}
