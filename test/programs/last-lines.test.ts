import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { lastLines } from '../../infra/programs/last-lines.ts'

/** What is read of a process that writes these chunks. */
async function linesOf(chunks: readonly (string | Buffer)[], most = 5) {
  const stream = new PassThrough()
  const lines = lastLines([stream, null], most)
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await new Promise((resolve) => stream.once('end', resolve))
  return lines.read()
}

describe('the last lines', () => {
  test.each([
    ['in one chunk', ['a\nb\n'], ['a', 'b']],
    ['over several chunks', ['a', 'b\nc', 'd\n'], ['ab', 'cd']],
    ['that has not ended yet', ['a\nb'], ['a', 'b']],
    ['that is empty', ['\n\na\n'], ['', '', 'a']],
    ['ended by a carriage return, a line feed or both', ['a\rb\r\nc\nd'], ['a', 'b', 'c', 'd']],
    ['whose end is in two chunks', ['a\r', '\nb\r', '\r', '\nc'], ['a', 'b', '', 'c']],
    ['with terminal sequences', ['\u001b[31mred\u001b[0m\n'], ['red']],
    ['whose sequence is in two chunks', ['\u001b[3', '1mred\n'], ['red']],
    ['beyond the number that is kept', ['1\n2\n3\n4\n5\n6\n7'], ['3', '4', '5', '6', '7']],
  ])('are what was written: a line %s', async (_, chunks, lines) => {
    expect(await linesOf(chunks)).toEqual(lines)
  })

  test('keep a character whose bytes are in two chunks', async () => {
    const bytes = Buffer.from('日本\n')
    expect(await linesOf([bytes.subarray(0, 2), bytes.subarray(2)])).toEqual(['日本'])
  })

  test('hold the beginning alone of a line that does not end, though it has half a gigabyte', () => {
    const stream = new PassThrough()
    const lines = lastLines([stream], 5)
    const megabyte = 'a'.repeat(1024 * 1024)
    for (let chunk = 0; chunk < 600; chunk += 1) stream.emit('data', megabyte)
    const [line = '', ...more] = lines.read()
    expect(more).toEqual([])
    expect(line.length).toBeLessThan(10_100)
    expect(line).toMatch(/^a{10000} … and 629,135,600 more characters$/)
  })

  test('are of all streams together, and a line of one goes on when the other writes', async () => {
    const [out, error] = [new PassThrough(), new PassThrough()]
    const lines = lastLines([out, error], 5)
    out.emit('data', 'one ')
    error.emit('data', 'two\n')
    out.emit('data', 'more\n')
    expect(lines.read()).toEqual(['one more', 'two'])
  })

  test('are forgotten when they are cleared, the one that has begun too', () => {
    const stream = new PassThrough()
    const lines = lastLines([stream], 5)
    stream.emit('data', 'old\nhalf a li')
    lines.clear()
    stream.emit('data', 'ne\nnew')
    expect(lines.read()).toEqual(['ne', 'new'])
  })
})
