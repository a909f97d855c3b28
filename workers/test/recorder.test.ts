import type { Recording } from '@pushkeep/store'
import { expect, test } from 'vitest'
import type { OutcomeJournal } from '../src/delivery/journal.ts'
import { createLedger, createRecorder, written } from '../src/delivery/recorder.ts'
import { recording } from './recordings.ts'

function scene(
  write: (batch: readonly Recording[]) => Promise<void>,
  journal: OutcomeJournal | null = null,
) {
  const errors: unknown[] = []
  const recorder = createRecorder({
    write: async (batch) => {
      await write(batch)
      return { written: batch.length, devices: 0, late: 0, verdicts: [] }
    },
    journal,
    batchSize: 3,
    backlogMax: 5,
    onError: (error) => errors.push(error),
  })
  return { recorder, errors }
}

test('rows that gather while a batch is written go together, in order, each once', async () => {
  const batches: number[][] = []
  const { recorder } = scene(async (batch) => {
    batches.push(batch.map((row) => row.deviceNo))
    await new Promise((resolve) => setTimeout(resolve, 5))
  })
  const ledger = createLedger()
  for (let i = 0; i < 8; i += 1) recorder.add(recording(i), ledger)
  await written(ledger)
  expect(batches.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(Math.max(...batches.map((batch) => batch.length))).toBe(3)
  expect(recorder.backlog()).toBe(0)
})

test('a batch that the database does not take stays and is written later', async () => {
  let failures = 2
  const rows: number[] = []
  const { recorder, errors } = scene(async (batch) => {
    if (failures-- > 0) throw new Error('away')
    rows.push(...batch.map((row) => row.deviceNo))
  })
  const ledger = createLedger()
  for (let i = 0; i < 4; i += 1) recorder.add(recording(i), ledger)
  await written(ledger)
  expect(rows).toEqual([0, 1, 2, 3])
  expect(errors).toHaveLength(2)
})

test('senders wait while the backlog is full', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { recorder } = scene(() => gate)
  const ledger = createLedger()
  for (let i = 0; i < 5; i += 1) recorder.add(recording(i), ledger)
  let hasRoom = false
  const room = recorder.room().then(() => {
    hasRoom = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(hasRoom).toBe(false)
  open()
  await room
  await written(ledger)
})

test('an outcome is in the journal before it is written, and leaves it once it is', async () => {
  const log: string[] = []
  const journal: OutcomeJournal = {
    append: (outcomes) => log.push(`keep ${outcomes.map((one) => one.deviceNo).join()}`),
    recorded: (count) => log.push(`recorded ${count}`),
    touch: () => {},
    close: () => {},
  }
  let failures = 1
  const { recorder } = scene(async (batch) => {
    log.push(`write ${batch.map((row) => row.deviceNo).join()}`)
    if (failures-- > 0) throw new Error('away')
  }, journal)
  const ledger = createLedger()
  for (let i = 0; i < 4; i += 1) recorder.add(recording(i), ledger)
  await written(ledger)
  expect(log).toEqual([
    'keep 0,1,2,3',
    'write 0,1,2',
    'write 0,1,2',
    'recorded 3',
    'write 3',
    'recorded 1',
  ])
})
