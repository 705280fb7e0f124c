/** Where the emulator pretends to be, and the surroundings in which nothing can reach a real account. */
export const REGION = 'eu-central-1'
/** MiniStack takes a key of twelve digits for the root user of that account. */
export const ACCOUNT = '123456789012'

/** Before the first customer of the sample is due; see infra/local/billing/generate.ts. */
export const CLOCK_START = '2024-01-30T08:00:00Z'

/** The lease that the tests deploy with. */
export const LEASE_MS = 2000
/** How long Lambda waits before it offers a failed event again: longer than a dead leader's lease, as AWS's minute is. */
export const RETRY_BASE_MS = 4000

/**
 * The environment variables of every program of the run: nothing of the caller's own AWS settings is left, and the
 * credentials are none.
 */
export function awsEnvironment(url: string, directory: string): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(AWS|CDK|VITEST|NODE_V8_COVERAGE|.*_proxy$)/i.test(name) ? [] : [[name, value] as const],
  )
  return {
    ...Object.fromEntries(kept),
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    TMPDIR: directory,
  }
}
