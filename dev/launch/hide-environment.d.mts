/** See hide-environment.mjs. */
export function hideEnvironment(): void;
