import { CancellationScope, patched } from '@temporalio/workflow';
import type { RunScope } from './run/run-host.ts';

/** Patch id, recorded where it matters. Without it, a scope belongs to the scope of the calling code, as in earlier releases. */
const SCOPES_BY_NAME = 'scopes-by-name';

/**
 * A part of a run that is cancelled as a unit. The SDK would attach it to the current scope, such as that of the previous task, which may
 * be cancelled. So each scope names its parent, and only this file may ask for the current scope.
 */
export class TemporalScope extends CancellationScope implements RunScope {
  get canceled(): boolean {
    return this.consideredCancelled;
  }

  /** Returns the promise of `work` unchanged: the SDK's own scope makes two of it, and promises are the main cost of a step. */
  protected override runInContext<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
}

/** The scope of the whole workflow. Call it at the start of the workflow. */
export function workflowScope(): CancellationScope {
  return CancellationScope.current();
}

/** Does `work` in a scope that is cancelled after `timeoutMs`. @param parent the parent scope */
export function withTimeout<T>(timeoutMs: number, parent: CancellationScope, work: (scope: TemporalScope) => Promise<T>): Promise<T> {
  const timed = new CancellationScope({ cancellable: true, timeout: timeoutMs, parent });
  return timed.run(() => {
    const scope = new TemporalScope({ cancellable: true, parent: timed });
    return scope.run(() => work(scope));
  });
}

/** A scope that only its own `cancel` cancels. */
export function shieldIn(parent: CancellationScope): TemporalScope {
  return new TemporalScope({ cancellable: false, parent });
}

/** A new scope inside `parent`. In runs that started before such scopes existed, a shield itself is returned. */
export function scopeIn(parent: CancellationScope): TemporalScope {
  if (parent instanceof TemporalScope && !parent.cancellable)
    return patched(SCOPES_BY_NAME) ? new TemporalScope({ cancellable: true, parent }) : parent;
  const current = CancellationScope.current();
  const isMisplaced = current.consideredCancelled && !parent.consideredCancelled;
  return new TemporalScope({ cancellable: true, parent: isMisplaced && !patched(SCOPES_BY_NAME) ? current : parent });
}

/** @throws TypeError for a scope of another host */
export function temporalScope(scope: RunScope): TemporalScope {
  if (scope instanceof TemporalScope) return scope;
  throw new TypeError('Internal error of Sluice: this scope does not belong to this host.');
}
