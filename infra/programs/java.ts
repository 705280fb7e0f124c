/** Finds a Java that runs DynamoDB Local. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const OLDEST_JAVA = 17

/** JAVA_HOME's java, else the PATH's, where it is new enough. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const home = env['JAVA_HOME']
  for (const java of [...(home ? [join(home, 'bin', 'java')] : []), 'java']) {
    try {
      const { stderr } = await promisify(execFile)(java, ['-version'], { env, timeout: 10_000 })
      if (javaMajor(stderr) >= OLDEST_JAVA) return java
    } catch {
      // not there, or not runnable
    }
  }
  return undefined
}

/** The major version in the output of `java -version`: 17 for `"17.0.15"`, 8 for `"1.8.0_402"`, NaN where there is none. */
export function javaMajor(output: string): number {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? []
  return Number(first === '1' ? second : first)
}
