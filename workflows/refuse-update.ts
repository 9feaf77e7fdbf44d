import { ApplicationFailure } from '@temporalio/common';

/**
 * A validator of updates: refuses those with a mistake before they are in the history.
 * @param check returns what is wrong with an update, or undefined
 */
export function refuseWhere<T>(check: (update: T) => string | undefined): (update: T) => void {
  return (update) => {
    const mistake = check(update);
    if (mistake !== undefined) throw ApplicationFailure.nonRetryable(mistake, 'DecisionRefused');
  };
}
