import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The life of a stack. What is not named here needs no stack and comes last. */
const ORDER = ['deploy', 'permissions', 'announced', 'leader-dies', 'update', 'rollback', 'failures', 'destroy']

/** The test files in the order of the story, not of their last durations. */
export class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = ORDER.indexOf(basename(moduleId, '.test.ts'))
  return place === -1 ? ORDER.length : place
}
