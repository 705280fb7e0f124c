// @ts-nocheck
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bundlePage } from '../../../infra/local/page/bundle.ts'

const page = await bundlePage()

const partOf = (tag: string) => new RegExp(`<${tag}[^>]*>([\\s\\S]*)</${tag}>`).exec(page.html)?.[1] ?? ''
const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = new Map(
  (page.headers['content-security-policy'] ?? '').split('; ').map((rule) => {
    const [name = '', ...sources] = rule.split(' ')
    return [name, sources.join(' ')]
  }),
)

test('its policy allows this script, this style, and requests to this server only', () => {
  expect(policy.get('default-src')).toBe("'none'")
  expect(policy.get('script-src')).toBe(digest(partOf('script')))
  expect(policy.get('style-src')).toBe(digest(partOf('style')))
  expect(policy.get('connect-src')).toBe("'self'")
  expect(policy.get('img-src')).toBe('data:')
  for (const name of ['base-uri', 'form-action', 'frame-ancestors']) expect(policy.get(name)).toBe("'none'")
  expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' })
})
