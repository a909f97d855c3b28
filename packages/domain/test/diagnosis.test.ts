import { expect, test } from 'vitest'
import { diagnose, noAnswers, type ProviderFacts, type SystemFacts } from '../src/index.ts'

const day = 86_400_000
const now = 1000 * day
const lane = { appNo: 1, provider: 'apns' } as const
const noCalls = noAnswers()
const fine: SystemFacts = {
  now,
  workers: { alive: 2, missed: 0 },
  areQueuesReachable: true,
  providers: [],
  waiting: [],
  unplannedSeconds: null,
  appsWithoutCredentials: [],
}
const provider = (facts: Partial<ProviderFacts>): Partial<SystemFacts> => ({
  providers: [
    {
      ...lane,
      paused: null,
      guard: null,
      isBreakerOpen: false,
      heldMessages: [],
      expiresAt: null,
      calls: noCalls,
      trouble: null,
      ...facts,
    },
  ],
})
const paused = { at: 5, reason: 'InvalidProviderToken' }

test.each<[string, Partial<SystemFacts>, object[]]>([
  ['nothing is wrong', provider({ calls: { ...noCalls, accepted: 900 } }), []],
  [
    'no worker',
    { workers: { alive: 0, missed: 2 } },
    [{ kind: 'workers_gone', severity: 'fault' }],
  ],
  [
    'one worker less',
    { workers: { alive: 1, missed: 1 } },
    [{ kind: 'worker_missed', severity: 'warning', missed: 1 }],
  ],
  ['no queues', { areQueuesReachable: false }, [{ kind: 'queue_unreachable', severity: 'fault' }]],
  [
    'a paused lane, whose answers then are no news',
    provider({ paused, isBreakerOpen: true, calls: { ...noCalls, misconfigured: 90 } }),
    [
      {
        kind: 'lane_paused',
        severity: 'fault',
        ...lane,
        since: 5,
        reason: 'InvalidProviderToken',
      },
    ],
  ],
  [
    'a guard that has tripped',
    provider({ guard: { since: 7, reason: 'mass bounce' } }),
    [
      {
        kind: 'mass_bounce_guard',
        severity: 'fault',
        ...lane,
        since: 7,
        reason: 'mass bounce',
      },
    ],
  ],
  [
    'a breaker',
    provider({ isBreakerOpen: true, trouble: 'HTTP 503' }),
    [{ kind: 'breaker_open', severity: 'fault', ...lane, trouble: 'HTTP 503' }],
  ],
  [
    'a message that the provider refuses while it serves others',
    provider({ heldMessages: ['m'] }),
    [{ kind: 'message_held', severity: 'warning', ...lane, messageId: 'm' }],
  ],
  [
    'more than a tenth of errors',
    provider({ calls: { ...noCalls, accepted: 80, unavailable: 20 }, trouble: 'timeout' }),
    [{ kind: 'errors_high', severity: 'warning', ...lane, share: 0.2, trouble: 'timeout' }],
  ],
  ['a few calls prove nothing', provider({ calls: { ...noCalls, unavailable: 19 } }), []],
  [
    'more than a fifth of bounces',
    provider({ calls: { ...noCalls, accepted: 75, 'token-dead': 25 } }),
    [{ kind: 'bounces_high', severity: 'warning', ...lane, share: 0.25 }],
  ],
  ['credentials for another month', provider({ expiresAt: now + 30 * day }), []],
  [
    'credentials for another week',
    provider({ expiresAt: now + 7 * day }),
    [{ kind: 'credentials_expire', severity: 'warning', ...lane, expiresAt: now + 7 * day }],
  ],
  [
    'credentials that ended',
    provider({ expiresAt: now }),
    [{ kind: 'credentials_expire', severity: 'fault', ...lane, expiresAt: now }],
  ],
  ['a broadcast that waits a while', { waiting: [{ ...lane, lane: 'bulk', seconds: 600 }] }, []],
  [
    'a broadcast that waits long',
    { waiting: [{ ...lane, lane: 'bulk', seconds: 1000 }] },
    [{ kind: 'backlog_old', severity: 'warning', ...lane, lane: 'bulk', seconds: 1000 }],
  ],
  [
    'a short message that waits',
    { waiting: [{ ...lane, lane: 'transactional', seconds: 31 }] },
    [{ kind: 'backlog_old', severity: 'fault', ...lane, lane: 'transactional', seconds: 31 }],
  ],
  [
    'what waits in a paused lane is meant to',
    {
      ...provider({ paused }),
      waiting: [{ ...lane, lane: 'transactional', seconds: 5000 }],
    },
    [expect.objectContaining({ kind: 'lane_paused' })],
  ],
  ['planning within its time', { unplannedSeconds: 12 }, []],
  [
    'planning that is late',
    { unplannedSeconds: 45 },
    [{ kind: 'planning_late', severity: 'fault', seconds: 45 }],
  ],
  [
    'an app that cannot send',
    { appsWithoutCredentials: [3] },
    [{ kind: 'no_credentials', severity: 'warning', appNo: 3 }],
  ],
])('%s', (_name, facts, expected) => {
  expect(diagnose({ ...fine, ...facts })).toEqual(expected)
})

test('faults come before warnings', () => {
  const found = diagnose({
    ...fine,
    workers: { alive: 1, missed: 1 },
    unplannedSeconds: 45,
    appsWithoutCredentials: [3],
    ...provider({ paused }),
  })
  expect(found.map(({ kind }) => kind)).toEqual([
    'lane_paused',
    'planning_late',
    'worker_missed',
    'no_credentials',
  ])
})
