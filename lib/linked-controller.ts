/**
 * Creates an AbortController that is aborted with `parent`, with its reason, or separately. Replaces `AbortSignal.any`, which holds its
 * sources weakly: https://github.com/nodejs/node/issues/57736. `parent` holds the controller until that is aborted, so abort it when the
 * work is done.
 * @param parent absent: only aborted directly
 */
export function linkedController(parent?: AbortSignal): AbortController {
  const controller = new AbortController();
  if (parent?.aborted) controller.abort(parent.reason);
  else parent?.addEventListener('abort', () => controller.abort(parent.reason), { once: true, signal: controller.signal });
  return controller;
}
