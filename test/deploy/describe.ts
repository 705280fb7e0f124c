import { describe, inject } from 'vitest'
import type { Emulator } from './emulator.ts'

/** A `describe` that is skipped without the emulator. */
export function describeDeployment(name: string, tests: (emulator: Emulator) => void): void {
  const emulator = inject('emulator')
  describe.skipIf(emulator === undefined)(name, () => {
    if (emulator !== undefined) tests(emulator)
  })
}
