import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { synthesize, templateFiles } from './cdk.ts'
import { describeDeployment } from './describe.ts'
import { REGION } from './emulator.ts'
import { runProgram } from './program.ts'
import { SHORT_LEASE } from './stack.ts'

/** Ignored rules, each with the reason. */
const IGNORED: Readonly<Record<string, string>> = {
  W3005: 'The CDK also writes dependencies that a reference implies',
}

describeDeployment('cfn-lint', (emulator) => {
  const assemblies: string[] = []

  beforeAll(async () => {
    assemblies.push(await synthesize(emulator, SHORT_LEASE))
    assemblies.push(await synthesize(emulator, 'gatewayUrl=https://api.stripe.com', 'candidates=4'))
  })

  test('finds no error, warning or info in any template', async () => {
    const templates = (await Promise.all(assemblies.map(templateFiles))).flat()
    expect(templates.length).toBeGreaterThanOrEqual(2)
    const ignored = Object.keys(IGNORED).flatMap((rule) => ['--ignore-checks', rule])
    const args = ['--format', 'parseable', '--include-checks', 'I', '--regions', REGION, ...ignored, '--', ...templates]
    expect(await runProgram(join(emulator.bin, 'cfn-lint'), args)).toEqual({ exitCode: 0, output: '' })
  })
})
