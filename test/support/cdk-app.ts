import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type AppProps, Duration, type Stack } from 'aws-cdk-lib'
import { Code, type FunctionProps, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { afterAll } from 'vitest'

const outdirs: string[] = []
afterAll(() => {
  for (const outdir of outdirs.splice(0)) rmSync(outdir, { recursive: true, force: true })
})

/** An app that leaves nothing behind: left to itself, the CDK makes a directory for each and never removes it. */
export function newApp(props: AppProps = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'tenure-cdk-'))
  outdirs.push(outdir)
  return new App({ outdir, ...props })
}

/** A function that does nothing. */
export function aFunction(stack: Stack, id: string, props: Partial<FunctionProps> = {}): LambdaFunction {
  return new LambdaFunction(stack, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('export const handler = () => {}'),
    timeout: Duration.seconds(30),
    ...props,
  })
}
