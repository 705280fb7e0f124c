import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type AppProps } from 'aws-cdk-lib'
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
