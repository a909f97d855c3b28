import { expect, test } from 'vitest'
import { type IdentitySeen, judgeIdentities } from '../src/cli/doctor/judge/identity.ts'

const seen = (name: string, mode: IdentitySeen['mode'], keys = 0): IdentitySeen => ({
  app: { id: `id of ${name}`, name },
  mode,
  keys,
})

test.each<[what: string, workspaces: IdentitySeen[][], levels: string[]]>([
  ['no app yet', [[]], ['ok']],
  ['an app that requires tokens and can check them', [[seen('shop', 'required', 1)]], ['ok']],
  ['an app that requires tokens and has no key', [[seen('shop', 'required')]], ['warning']],
  ['an app that is open', [[seen('shop', 'off')]], ['warning']],
  ['an app that only logs', [[seen('shop', 'log', 1)]], ['warning']],
  ['the app of the local runner', [[seen('local', 'off')]], ['ok']],
  [
    'an open app beside one that requires tokens: the strictest holds',
    [[seen('shop', 'off'), seen('news', 'required', 1)]],
    ['ok'],
  ],
  [
    'another workspace changes nothing',
    [[seen('shop', 'required', 1)], [seen('news', 'off')]],
    ['warning'],
  ],
])('%s', (_what, workspaces, levels) => {
  const findings = judgeIdentities(workspaces, 'id of local')
  expect(findings.map(({ level }) => level)).toEqual(levels)
})

test('an open app is named, with what to do', () => {
  const [finding] = judgeIdentities([[seen('shop', 'off')]], null)
  expect(finding?.said).toContain('shop (id of shop) is open')
  expect(finding?.todo).toContain('pushkeep app identity mode id of shop required')
})

test('an app that is held to a stricter one is named', () => {
  const [finding] = judgeIdentities([[seen('shop', 'off'), seen('news', 'required', 1)]], null)
  expect(finding?.said).toMatch(/^shop .* is held to required/)
})
