// @ts-nocheck
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import {
  onLine,
  type RuntimeMessage,
  receivedReport,
  reportOf,
  send,
} from '../../../infra/local/lambda-host/messages.ts'

test('messages arrive whole, wherever the pipe cuts them', () => {
  const whole = new PassThrough()
  const sent: RuntimeMessage[] = [
    { kind: 'result', json: 'line\nfeed, \u2028, Ж' },
    { kind: 'result', json: 'null' },
  ]
  for (const message of sent) send(whole, message)
  const cut = new PassThrough()
  const received: unknown[] = []
  onLine(cut, (line) => received.push(JSON.parse(line)))
  for (const byte of whole.read()) cut.write(Buffer.of(byte))
  expect(received).toEqual(sent)
})

test('a line that does not end is passed on before it fills the memory', () => {
  const channel = new PassThrough()
  const lengths: number[] = []
  onLine(channel, ({ length }) => lengths.push(length))
  for (let megabytes = 0; megabytes < 17; megabytes += 1) channel.write('a'.repeat(1024 * 1024))
  expect(lengths).toEqual([17 * 1024 * 1024])
})

test.each([
  ['a symbol', Symbol('thrown'), { errorType: 'symbol', errorMessage: 'Symbol(thrown)' }],
  ['an error named by a number', Object.assign(new Error('it broke'), { name: 7 }), { errorType: '7' }],
])('the report of %s', (_, thrown, report) => {
  expect(reportOf(thrown)).toMatchObject(report)
})

test('the host receives the beginning of 3 MB of message, and the stack', () => {
  const report = receivedReport(reportOf(new Error('a\n'.repeat(1_500_000))))
  expect(report?.errorMessage).toMatch(/^(a\n){5000} … and 2,[\d,]+ more characters$/)
  expect(report?.trace?.[1]).toMatch(/^ +at .*messages\.test\.ts/)
})

test('a report that the function wrote itself is made printable', () => {
  const written = { errorType: '\u001b[2J', errorMessage: 'a\u001b[31m', trace: ['\u0007', 7] }
  expect(receivedReport(written)).toEqual({ errorType: '', errorMessage: 'a', trace: ['\\u0007', '7'] })
})
