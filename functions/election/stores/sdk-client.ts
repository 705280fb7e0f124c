/** For each try of a request. Without `throwOnRequestTimeout` the SDK waits for an answer without limit. */
export const SDK_TIMEOUTS = { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true }

/** How clients of our own wait and retry. */
export const SDK_CLIENT = { maxAttempts: 3, requestHandler: SDK_TIMEOUTS }
