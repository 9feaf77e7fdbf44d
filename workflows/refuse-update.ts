import { ApplicationFailure } from '@temporalio/common';

/**
 * Makes a validator that refuses invalid updates before they enter the history.
 * @param check returns what is wrong with an update, or undefined
 */
export function refuseWhere<T>(check: (update: T) => string | undefined): (update: T) => void {
  return (update) => {
    const mistake = check(update);
    if (mistake !== undefined) throw ApplicationFailure.nonRetryable(mistake, 'DecisionRefused');
  };
}
