#!/usr/bin/env node
// @ts-nocheck
/** The program `tenure`. What it imports needs the Node that it checks first. */
const OLDEST_NODE = [22, 18] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  const found = `This is Node ${process.versions.node}`
  process.stderr.write(`${found}. The command tenure needs Node ${OLDEST_NODE.join('.')} or newer: install it.\n`)
  process.exitCode = 2
} else {
  const { main } = await import('./main.ts')
  process.exitCode = await main(process.argv.slice(2))
}
