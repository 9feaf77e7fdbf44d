// Plain JavaScript: runs before TypeScript can be loaded.

/** The AWS SDK warns about the end of Node 20 at every start; 20 is the minimum version until the SDK requires more. */
export const PROCESS_SETTINGS = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', TZ: 'UTC' };
