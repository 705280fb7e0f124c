/** Completes `dist` after tsc: the template, the page as one file, and the configuration of DynamoDB Local. */
// @ts-nocheck

import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundlePage } from '../local/page/bundle.ts'

const INFRA = join(import.meta.dirname, '..')
const TARGET = join(INFRA, '../dist/infra')

for (const path of ['cli/template', 'programs/dynamodb-local.xml']) {
  await cp(join(INFRA, path), join(TARGET, path), { recursive: true })
}
await writeFile(join(TARGET, 'local/page/page.json'), JSON.stringify(await bundlePage()))
