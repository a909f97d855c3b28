import type { KeySurvey, NotableKey } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { judgeKeys } from '../src/cli/doctor/judge/keys.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const day = 86_400_000
const quiet: KeySurvey = { workspaces: 1, installationKeys: 1, ending: [], exposed: [] }
const key = (days: number): NotableKey => ({
  id: '01900000-0000-7000-8000-000000000000',
  kind: 'secret',
  name: 'backend',
  workspaceId: '01900000-0000-7000-8000-000000000001',
  at: new Date(now + days * day),
})

test.each<[what: string, seen: Partial<KeySurvey>, levels: string[]]>([
  ['an operator has a key and none ends', {}, ['ok']],
  ['no operator has a key', { installationKeys: 0 }, ['warning']],
  ['an installation without a workspace', { workspaces: 0, installationKeys: 0 }, ['ok']],
  ['a key that ends in three days', { ending: [key(3)] }, ['warning']],
  ['a key that ended yesterday', { ending: [key(-1)] }, ['problem']],
  ['a key seen in a browser', { exposed: [key(-1)] }, ['warning']],
  [
    'all at once',
    { installationKeys: 0, ending: [key(-1)], exposed: [key(-1)] },
    ['warning', 'problem', 'warning'],
  ],
])('%s', (_what, seen, levels) => {
  const findings = judgeKeys({ ...quiet, ...seen }, now)
  expect(findings.map(({ level }) => level)).toEqual(levels)
})
