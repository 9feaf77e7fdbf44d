/**
 * An AbortController that is aborted with `parent`, for its reason, and that can be aborted by itself. In place of `AbortSignal.any`, which
 * holds its sources weakly: https://github.com/nodejs/node/issues/57736. `parent` refers to the controller until that is aborted, so
 * abort it when the work is over.
 * @param parent absent: the controller is aborted only by itself
 */
export function linkedController(parent?: AbortSignal): AbortController {
  const controller = new AbortController();
  if (parent?.aborted) controller.abort(parent.reason);
  else parent?.addEventListener('abort', () => controller.abort(parent.reason), { once: true, signal: controller.signal });
  return controller;
}
