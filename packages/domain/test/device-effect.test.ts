import { expect, test } from 'vitest'
import { type DeviceEffect, type DeviceEvent, deviceEffect } from '../src/index.ts'

const rows: [string, DeviceEvent, DeviceEffect][] = [
  [
    'registered again: as new',
    { kind: 'registered' },
    { lastStatus: '', token: 'live', failures: 0 },
  ],
  [
    'accepted: sent, push_enabled unchanged',
    { kind: 'accepted' },
    { lastStatus: 'sent', token: null, failures: 0 },
  ],
  [
    'dead token: bounced, push_enabled "false"',
    { kind: 'token-dead' },
    { lastStatus: 'bounced', token: 'retired', failures: null },
  ],
  [
    'first ambiguous answer: counted, and its status stays',
    { kind: 'doubted', failures: 0 },
    { lastStatus: null, token: null, failures: 1 },
  ],
  [
    'a fourth ambiguous answer counts no further than the third',
    { kind: 'doubted', failures: 3 },
    { lastStatus: null, token: null, failures: 3 },
  ],
  [
    'withheld by R7: suppressed, push_enabled unchanged',
    { kind: 'withheld' },
    { lastStatus: 'suppressed', token: null, failures: null },
  ],
  [
    "reassigned, message's fault, credential's fault, expired: nothing",
    { kind: 'untouched' },
    { lastStatus: null, token: null, failures: null },
  ],
]

test.each(rows)('%s', (_name, event, effect) => {
  expect(deviceEffect(event)).toEqual(effect)
})
