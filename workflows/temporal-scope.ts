import { CancellationScope, patched } from '@temporalio/workflow';
import type { RunScope } from './run/run-host.ts';

/** Recorded in runs where it matters: without it, a scope belongs to what the code ran in, as in releases before it. */
const SCOPES_BY_NAME = 'scopes-by-name';

/**
 * A part of a run that is cancelled as one. The SDK would make it a part of whatever the code happens to run in, such as the scope of the
 * task before, which may be cancelled: so each names the scope it belongs to, and this is the only file that may ask for the current one.
 */
export class TemporalScope extends CancellationScope implements RunScope {
  get canceled(): boolean {
    return this.consideredCancelled;
  }

  /** What runs in it is handed on as it is: the SDK's own scope makes two promises of it, and promises are what a step of a run costs. */
  protected override runInContext<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
}

/** The scope of the whole workflow. Call it where the workflow begins. */
export function workflowScope(): CancellationScope {
  return CancellationScope.current();
}

/** Does `work` in a scope that is cancelled after `timeoutMs`. @param parent the scope that it is part of */
export function withTimeout<T>(timeoutMs: number, parent: CancellationScope, work: (scope: TemporalScope) => Promise<T>): Promise<T> {
  const timed = new CancellationScope({ cancellable: true, timeout: timeoutMs, parent });
  return timed.run(() => {
    const scope = new TemporalScope({ cancellable: true, parent: timed });
    return scope.run(() => work(scope));
  });
}

/** A scope that nothing but itself cancels. */
export function shieldIn(parent: CancellationScope): TemporalScope {
  return new TemporalScope({ cancellable: false, parent });
}

/** A scope of its own inside `parent`. Runs that began before such scopes keep what they had: inside a shield, the shield. */
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
