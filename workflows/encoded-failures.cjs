// CommonJS: the SDK loads it by its path, in a worker's process and in the bundle of its workflows.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Messages and stack traces of failures are payloads, so that the codec encrypts them. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
