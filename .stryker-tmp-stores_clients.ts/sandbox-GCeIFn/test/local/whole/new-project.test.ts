/** The first ten minutes of a user: the project of `tenure init`, from an empty folder to a run of its function. */
// @ts-nocheck

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { INSTALL, packProject, runOrThrow } from '../../deploy/program.ts'
import { newDirectory } from './runs.ts'

let packed: string
beforeAll(async () => {
  packed = await packProject(await newDirectory())
})

test('tenure dev names the packages that it misses', async () => {
  const running = runOrThrow(await newDirectory(), 'npx', '--yes', '--package', packed, 'tenure', 'dev', 'report.ts')
  await expect(running).rejects.toThrow('npm install --save-dev aws-cdk-lib constructs esbuild')
})

describe.concurrent('the project of tenure init', { timeout: 300_000 }, () => {
  test.each([
    ['TypeScript', []],
    ['JavaScript', ['--javascript']],
  ])('in %s is tested, synthesized and run as it is', async (language, flags) => {
    const folder = join(await newDirectory(), 'my work')
    const job = join(folder, 'job')
    await mkdir(folder)
    await runOrThrow(folder, 'npx', '--yes', '--package', packed, 'tenure', 'init', 'job', ...flags)
    await runOrThrow(job, 'npm', ...INSTALL, packed)
    await runOrThrow(job, 'npm', ...INSTALL)
    expect(await runOrThrow(job, 'npm', 'test')).toMatch(/pass [1-9]/)
    if (language === 'TypeScript') await runOrThrow(job, 'npm', 'run', 'check')
    expect(await runOrThrow(job, 'npx', 'cdk', 'synth')).toContain('AWS::Scheduler::Schedule')
    const output = await runOrThrow(job, 'npm', 'start', '--', '--ticks', '3')
    expect(output).toContain('3 of 3 ticks completed, each by one of 4 candidates')
    expect(output).toContain('✓ All is well')
  })
})
