import type { TaskType } from '../activities/define-task.ts';
import { kindTitle, nameOf, whyNotDefinition } from './check-definition.ts';
import type { DefinitionKind, Definitions } from './definitions.ts';

/** Collects the definitions of a project and the problems with them. */
export class DefinitionList {
  readonly problems: string[] = [];
  private readonly lists: { readonly [K in DefinitionKind]: Definitions[K][number][] };
  /** The origin of each definition by kind and name; built-in definitions have none. */
  readonly origins = {
    tasks: new Map<string, string>(),
    connections: new Map<string, string>(),
    triggers: new Map<string, string>(),
    channels: new Map<string, string>(),
    resources: new Map<string, string>(),
  } satisfies Record<DefinitionKind, Map<string, string>>;

  /** @param builtIn cannot be replaced */
  constructor(private readonly builtIn: Definitions) {
    const { tasks, connections, triggers, channels, resources } = builtIn;
    this.lists = {
      tasks: [...tasks],
      connections: [...connections],
      triggers: [...triggers],
      channels: [...channels],
      resources: [...resources],
    };
  }

  get definitions(): Definitions {
    return this.lists;
  }

  /** Adds a definition, or the problem with it. @param origin a file or a plugin */
  add(kind: DefinitionKind, definition: unknown, origin: string): void {
    const problem = this.problemOf(kind, definition, origin);
    if (problem !== undefined) {
      this.problems.push(problem);
      return;
    }
    this.origins[kind].set(nameOf(definition as { type?: string; name?: string }), origin);
    (this.lists[kind] as unknown[]).push(kind === 'tasks' ? { ...(definition as TaskType), origin } : definition);
  }

  private problemOf(kind: DefinitionKind, definition: unknown, origin: string): string | undefined {
    const why = whyNotDefinition(kind, definition);
    if (why !== undefined) return `${origin}: the definition ${why}`;
    const name = nameOf(definition as { type?: string; name?: string });
    const title = kindTitle(kind);
    const other = this.origins[kind].get(name);
    if (other !== undefined) return `${origin} and ${other} both define the ${title} '${name}'. Rename one of them, or remove it.`;
    if (this.builtIn[kind].some((each) => nameOf(each) === name))
      return `${origin} defines the ${title} '${name}', which Sluice itself has. Give it another name, such as 'my_${name}'.`;
    return kind === 'connections' ? this.schemeProblem(definition as Definitions['connections'][number], origin) : undefined;
  }

  /** A scheme must identify one connection type. */
  private schemeProblem({ type, schemes }: Definitions['connections'][number], origin: string): string | undefined {
    for (const scheme of schemes) {
      const other = this.lists.connections.find((each) => each.schemes.includes(scheme));
      if (other)
        return `${origin}: the connection type '${type}' has the URI scheme '${scheme}', which '${other.type}' has too. Use another scheme.`;
    }
    return undefined;
  }
}
