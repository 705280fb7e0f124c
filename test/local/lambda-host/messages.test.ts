import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { onLine, type RuntimeMessage, send } from '../../../infra/local/lambda-host/messages.ts'

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
