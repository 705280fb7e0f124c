import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PICTURE, picture } from './picture.ts'

test('the picture in the README is what the renderer draws', () => {
  expect(readFileSync(PICTURE, 'utf8')).toBe(picture())
})
