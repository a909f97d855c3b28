import { readInfo } from '@pushkeep/queues'
import type { AccessState, ServerState } from '@pushkeep/store'
import { expect, test } from 'vitest'
import type { Finding } from '../src/cli/doctor/finding.ts'
import { judgeClock } from '../src/cli/doctor/judge/clock.ts'
import { judgeCredentials, type LaneSeen } from '../src/cli/doctor/judge/credentials.ts'
import { judgeDatabase } from '../src/cli/doctor/judge/database.ts'
import { judgeJournal, judgeNode, judgePorts } from '../src/cli/doctor/judge/machine.ts'
import { judgeProcesses, type ProcessSeen } from '../src/cli/doctor/judge/processes.ts'
import { judgeQueues } from '../src/cli/doctor/judge/queues.ts'
import { judgeWork, type WorkSeen } from '../src/cli/doctor/judge/work.ts'

/** Those that are not well, by level and check, with what they say. */
function faults(findings: readonly Finding[]): string[] {
  // Whatever is not well says what to do; whatever is, asks for nothing.
  for (const { level, todo } of findings) expect(todo === null).toBe(level === 'ok')
  return findings
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, said }) => `${level} ${check}: ${said}`)
}

const server: ServerState = {
  version: '18.1',
  majorVersion: 18,
  isReplica: false,
  connections: { used: 30, max: 97 },
  now: 0,
}
const schema = { applied: 12, missing: [], unknown: [] }
const access: AccessState = { missingGroups: [], mighty: [] }
const database = { kind: 'seen', address: 'db:5432', server, schema, skewMs: 10, access } as const

test.each([
  [{}, []],
  [{ server: { ...server, majorVersion: 16 } }, []],
  [
    { server: { ...server, version: '15.4', majorVersion: 15 } },
    ['problem database: PostgreSQL 15.4 at db:5432'],
  ],
  [
    { server: { ...server, isReplica: true } },
    ['problem database: PostgreSQL 18.1 at db:5432 is a standby'],
  ],
  [
    { schema: { ...schema, missing: ['0009_a.sql', '0010_b.sql'] } },
    ['problem schema: 2 migrations missing, from 0009_a.sql on'],
  ],
  [
    { schema: { ...schema, unknown: ['0099_z.sql'] } },
    ['warning schema: newer than this program: 0099_z.sql'],
  ],
  [{ server: { ...server, connections: { used: 87, max: 97 } } }, []],
  [
    { server: { ...server, connections: { used: 88, max: 97 } } },
    ['warning connections: 88 of 97 in use'],
  ],
  [
    { server: { ...server, connections: { used: 93, max: 97 } } },
    ['problem connections: 93 of 97 in use'],
  ],
  [
    { access: { ...access, missingGroups: ['pushkeep_admin', 'pushkeep_sender'] } },
    ['warning roles: the server has no pushkeep_admin, pushkeep_sender'],
  ],
  [
    { access: { ...access, mighty: [{ program: 'push-sender', role: 'pushkeep' }] } },
    ['warning roles: push-sender connects as pushkeep, which owns the tables'],
  ],
  [{ access: null }, []],
  [{ skewMs: -5000 }, ['warning clock: PostgreSQL is 5 seconds behind this machine']],
])('PostgreSQL with %j', (more, expected) => {
  expect(faults(judgeDatabase({ ...database, ...more }))).toEqual(expected)
})

test.each([
  [0, 'ok'],
  [1999, 'ok'],
  [-1999, 'ok'],
  [2000, 'warning'],
  [-299_999, 'warning'],
  [300_000, 'problem'],
  [-3_700_000, 'problem'],
])('a clock that is %i ms ahead', (skewMs, level) => {
  expect(judgeClock('PostgreSQL', skewMs).level).toBe(level)
})

const info = {
  redis_version: '7.2.4',
  role: 'master',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  used_memory: '1000',
  maxmemory: '0',
}

test.each([
  [{}, []],
  [{ maxmemory: '1250' }, []],
  [
    { maxmemory_policy: 'allkeys-lru' },
    ['throws away keys when it is full: maxmemory-policy allkeys-lru'],
  ],
  [{ maxmemory: '1100' }, ['uses 91 % of its memory']],
  [{ aof_enabled: '0' }, ['forgets the queues when it restarts']],
  [{ redis_version: '6.2.1' }, ['Redis 6.2.1 at redis:6379']],
  [{ role: 'slave' }, ['is a replica']],
  [{ role: 'slave', aof_enabled: '0' }, ['is a replica', 'forgets the queues']],
])('a Redis with %j', (more, expected) => {
  const text = Object.entries({ ...info, ...more }).map(([name, value]) => `${name}:${value}`)
  const state = readInfo(['# Server', ...text, ''].join('\r\n'))
  const found = faults(judgeQueues({ kind: 'redis', address: 'redis:6379', state }))
  expect(found.length).toBe(expected.length)
  for (const [index, said] of expected.entries()) expect(found[index]).toContain(said)
})

const answered = (name: string, more = {}): ProcessSeen => {
  const answer = { kind: 'answered', isReady: true, version: '1.0.0', skewMs: 0, ...more } as const
  return { name, address: `${name}:1`, answer }
}
const alive = { alive: 2, missed: 0 }

test.each([
  [[answered('workers')], alive, []],
  [
    [{ ...answered('workers'), answer: { kind: 'silent', reason: 'ECONNREFUSED' } as const }],
    alive,
    ['problem processes: workers at workers:1 does not answer (ECONNREFUSED)'],
  ],
  [
    [answered('workers', { isReady: false })],
    alive,
    ['problem processes: workers at workers:1 is not ready'],
  ],
  [
    [answered('push-sender', { version: '1.1.0' }), answered('workers')],
    alive,
    ['warning versions: push-sender 1.1.0, workers 1.0.0, this command 1.0.0'],
  ],
  [
    [answered('workers', { version: '0.9.0' })],
    alive,
    ['warning versions: workers 0.9.0, this command 1.0.0'],
  ],
  [
    [answered('workers', { skewMs: 3_600_000 })],
    alive,
    ['problem clock: workers at workers:1 is 60 minutes ahead of this machine'],
  ],
  [[answered('push-sender', { version: null, skewMs: null })], alive, []],
  [
    [answered('workers')],
    { alive: 0, missed: 0 },
    ['problem workers: none has reported within the last seconds'],
  ],
  [
    [answered('workers')],
    { alive: 1, missed: 1 },
    ['warning workers: 1 process reports, and 1 ended without a word'],
  ],
  [[], null, ['warning processes: no address is known, so none was asked']],
])('processes: %j, workers %j', (processes, workers, expected) => {
  expect(faults(judgeProcesses(processes, workers, '1.0.0'))).toEqual(expected)
})

const day = 86_400_000
const now = 1000 * day
const lane: LaneSeen = {
  app: { id: 'a1', name: 'shop' },
  provider: 'apns',
  opened: { kind: 'ok' },
  findings: [{ place: 'production', answer: 'works', reason: null }],
  paused: null,
  isGuarded: false,
  storedAt: now - 10 * day,
  expiresAt: null,
}
const said = (answer: 'works' | 'refused' | 'unreachable', reason: string | null = null) => ({
  place: 'production' as const,
  answer,
  reason,
})

test.each<[Partial<LaneSeen>, string]>([
  [{}, 'ok apns of shop (a1), stored 10 days ago, are taken'],
  [{ findings: null }, 'ok apns of shop (a1), stored 10 days ago'],
  [{ expiresAt: now + 15 * day }, 'ok apns of shop (a1), stored 10 days ago, are taken'],
  [{ expiresAt: now + 13 * day }, 'warning apns of shop (a1) end in 13 days'],
  [{ expiresAt: now - 3 * day }, 'problem apns of shop (a1) ended 3 days ago'],
  [{ storedAt: now - 400 * day }, 'warning apns of shop (a1), stored 400 days ago'],
  [
    { opened: { kind: 'unseen' }, findings: null },
    'warning apns of shop (a1), stored 10 days ago, were not opened',
  ],
  [
    { opened: { kind: 'flawed', reason: 'privateKey must be PEM' }, findings: null },
    'problem apns of shop (a1): privateKey must be PEM',
  ],
  [
    { findings: [said('refused', 'InvalidProviderToken')] },
    'problem apns of shop (a1) are refused: InvalidProviderToken',
  ],
  [{ findings: [said('refused', 'BadEnvironmentKeyInToken'), said('works')] }, 'ok apns of shop'],
  [
    { findings: [said('unreachable', 'ENOTFOUND')] },
    'warning apns of shop (a1) could not be tried from here: ENOTFOUND',
  ],
  [
    { paused: { reason: 'TopicDisallowed', cause: null } },
    'problem apns of shop (a1) is paused: TopicDisallowed',
  ],
  [
    {
      paused: {
        reason: 'TopicDisallowed',
        cause: { messageId: 'm1', deviceNo: 7, personId: 'ana', agreed: 20 },
      },
    },
    'problem apns of shop (a1) is paused: TopicDisallowed (message m1, device 7; devices of 20 people got the same answer)',
  ],
  [
    { isGuarded: true, storedAt: now - 400 * day },
    'problem apns of shop (a1) retires no token: the mass-bounce guard has tripped',
  ],
])('credentials with %j', (more, expected) => {
  const [found] = judgeCredentials(
    { lanes: [{ ...lane, ...more }], without: [], sealed: null },
    now,
  )
  expect(`${found?.level} ${found?.said}`).toContain(expected)
  expect(found?.todo === null).toBe(found?.level === 'ok')
})

test('an app without credentials is told, and so is that there is no app', () => {
  const without = [{ id: 'a2', name: 'news' }]
  expect(faults(judgeCredentials({ lanes: [lane], without, sealed: null }, now))).toEqual([
    'warning credentials: news (a2) has none: nothing can be sent to it',
  ])
  expect(faults(judgeCredentials({ lanes: [], without: [], sealed: null }, now))).toEqual([
    'warning credentials: there is no app yet',
  ])
})

test('credentials under an earlier encryption key are told, and nothing else of keys is', () => {
  const sealed = { current: 2, earlier: 3, unknown: 0 }
  expect(faults(judgeCredentials({ lanes: [lane], without: [], sealed }, now))).toEqual([
    'warning encryption: 3 credentials are still sealed with an earlier encryption key',
  ])
  const rotated = { current: 5, earlier: 0, unknown: 0 }
  expect(faults(judgeCredentials({ lanes: [lane], without: [], sealed: rotated }, now))).toEqual([])
})

const nothing = { transactional: null, bulk: null, unplanned: null }
const quiet: WorkSeen = {
  outboxLagSeconds: 0,
  oldest: nothing,
  backlog: [],
  unbalanced: 0,
  erasures: { count: 0, oldestSeconds: null },
}
const totals = {
  provider: 'apns',
  lane: 'bulk',
  ready: 3,
  leased: 1,
  waiting: 0,
  deliveries: 1500,
} as const

test.each<[Partial<WorkSeen>, string[]]>([
  [{}, []],
  [{ oldest: { transactional: 29, bulk: 899, unplanned: 899 } }, []],
  [{ backlog: [{ ...totals, paused: 0 }] }, []],
  [{ outboxLagSeconds: 31 }, ['problem backlog: doorbells waited for 31 seconds and could go now']],
  [
    { oldest: { ...nothing, transactional: 31, bulk: 901 } },
    [
      'problem backlog: transactional work waited for 31 seconds and could go now',
      'problem backlog: a broadcast waited for 15 minutes and could go now',
    ],
  ],
  [
    { oldest: { ...nothing, unplanned: 7300 } },
    ['problem backlog: an audience waited for 2 hours and could go now'],
  ],
  [{ backlog: [{ ...totals, paused: 2 }] }, ['warning backlog: 2 chunks wait for a paused lane']],
  [{ unbalanced: 1 }, ['problem books: 1 message does not add up']],
  [
    { erasures: { count: 2, oldestSeconds: 4000 } },
    [
      'warning erasures: names of 2 erased people are still taken out of messages, since 67 minutes',
    ],
  ],
])('work: %j', (more, expected) => {
  expect(faults(judgeWork({ ...quiet, ...more }))).toEqual(expected)
})

test.each([
  ['24.12.0', 'ok'],
  ['25.0.0', 'ok'],
  ['24.11.9', 'problem'],
  ['22.22.0', 'problem'],
])('Node %s', (version, level) => {
  expect(judgeNode(version).level).toBe(level)
})

test('the folder of outcomes: none, room, little room, closed', () => {
  const folder = '/var/outcomes'
  const found = [
    judgeJournal({ kind: 'unset' }),
    judgeJournal({ kind: 'usable', folder, freeBytes: 2 ** 30 }),
    judgeJournal({ kind: 'usable', folder, freeBytes: 2 ** 20 }),
    judgeJournal({ kind: 'unusable', folder, reason: 'EACCES' }),
  ]
  expect(faults(found)).toEqual([
    'warning journal: /var/outcomes, 1 MiB free',
    'problem journal: /var/outcomes cannot be written to (EACCES)',
  ])
})

test('ports: those of the run, those that are free, those that are taken', () => {
  const found = [
    judgePorts({ kind: 'running', ports: [7001] }),
    judgePorts({ kind: 'idle', taken: [] }),
    judgePorts({ kind: 'idle', taken: [7001, 7003] }),
    judgePorts({ kind: 'gone', file: 'local.json' }),
  ]
  expect(faults(found)).toEqual([
    'warning ports: 2 usual ones are taken: 7001, 7003',
    'problem ports: the run of local.json is gone',
  ])
})
