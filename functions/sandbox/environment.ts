import { EnvironmentReader, type Variables } from '../election/environment.ts'

/** The environment variables of the sandbox. @throws EnvironmentError */
export function readEnvironment(variables: Variables) {
  const reader = new EnvironmentReader('the sandbox', variables)
  const milliseconds = (name: string) =>
    reader.wholeNumber(name, 1, Number.MAX_SAFE_INTEGER, 'a positive number of milliseconds')
  const environment = {
    tableName: reader.required('SANDBOX_TABLE'),
    keyWindowMs: milliseconds('KEY_WINDOW_MS'),
    lateMs: milliseconds('LATE_MS'),
  }
  reader.check()
  return environment
}
