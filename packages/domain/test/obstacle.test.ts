import { expect, test } from 'vitest'
import { type DeviceStanding, type LaneStanding, obstaclesOf } from '../src/index.ts'

const fine: DeviceStanding = {
  personSuppressed: false,
  dead: null,
  pushPermission: true,
  failures: 0,
}
const open: LaneStanding = {
  hasCredentials: true,
  paused: null,
  isBreakerOpen: false,
  workers: 1,
}
const withheld = (kind: string, since: number | null = null, detail: string | null = null) => ({
  effect: 'withholds',
  kind,
  since,
  detail,
})

test.each<[string, Partial<DeviceStanding>, Partial<LaneStanding>, object[]]>([
  ['nothing stands against a fine device', {}, {}, []],
  ['one failure is no reason yet', { failures: 1 }, {}, []],
  ['a suppressed person', { personSuppressed: true }, {}, [withheld('person_suppressed')]],
  [
    'a dead token says since when, and what the provider said',
    { dead: { at: 5, reason: 'Unregistered' } },
    {},
    [withheld('token_dead', 5, 'Unregistered')],
  ],
  ['no permission', { pushPermission: false }, {}, [withheld('push_disabled')]],
  ['two ambiguous answers in a row are no reason yet', { failures: 2 }, {}, []],
  ['three ambiguous answers in a row', { failures: 3 }, {}, [withheld('wrong_app')]],
  ['no credentials', {}, { hasCredentials: false }, [withheld('no_credentials')]],
  [
    'a paused lane only delays',
    {},
    { paused: { at: 7, reason: 'InvalidProviderToken' } },
    [{ effect: 'delays', kind: 'lane_paused', since: 7, detail: 'InvalidProviderToken' }],
  ],
  [
    'an open breaker and no workers',
    {},
    { isBreakerOpen: true, workers: 0 },
    [
      { effect: 'delays', kind: 'breaker_open', since: null, detail: null },
      { effect: 'delays', kind: 'no_workers', since: null, detail: null },
    ],
  ],
  [
    'all of them, in the order in which sending looks',
    { personSuppressed: true, dead: { at: 1, reason: null }, pushPermission: false, failures: 3 },
    { hasCredentials: false, workers: 0 },
    [
      withheld('person_suppressed'),
      withheld('token_dead', 1),
      withheld('push_disabled'),
      withheld('wrong_app'),
      withheld('no_credentials'),
      { effect: 'delays', kind: 'no_workers', since: null, detail: null },
    ],
  ],
])('%s', (_name, device, lane, expected) => {
  expect(obstaclesOf({ ...fine, ...device }, { ...open, ...lane })).toEqual(expected)
})
