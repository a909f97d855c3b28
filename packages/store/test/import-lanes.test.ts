import { expect, test } from 'vitest'
import { createLanes } from '../src/import-lanes.ts'

/** Work that ends when the test says so, and what began and ended. */
function held() {
  const log: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const work = (name: string) =>
    new Promise<void>((resolve, reject) => {
      log.push(`+${name}`)
      ends.set(name, (error) => {
        log.push(`-${name}`)
        if (error) reject(error)
        else resolve()
      })
    })
  return { log, work, end: (name: string, error?: Error) => ends.get(name)?.(error) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Two keys that share no lane of two. */
const [left, right] = ['a', 'b']

test('what has the same key keeps its order from one call to the next; others do not wait for it', async () => {
  const { log, work, end } = held()
  const lanes = createLanes(2)
  const key = (text: string) => text[0] ?? ''
  const one = lanes.run([`${left}1`, `${right}1`], key, (part) => work(part.join()))
  const two = lanes.run([`${left}2`, `${right}2`, `${left}3`], key, (part) => work(part.join()))
  await turn()
  expect(log).toEqual(['+b1', '+a1'])
  end('b1')
  await turn()
  expect(log).toEqual(['+b1', '+a1', '-b1', '+b2'])
  end('a1')
  await one
  await turn()
  expect(log.at(-1)).toBe('+a2,a3')
  end('b2')
  end('a2,a3')
  await two
})

test('work alone begins after all that was given before, and ends before all that is given later', async () => {
  const { log, work, end } = held()
  const lanes = createLanes(2)
  const key = (text: string) => text
  const before = lanes.run([left, right], key, ([only = '']) => work(only))
  const alone = lanes.alone(() => work('alone'))
  const after = lanes.run([left], key, () => work('after'))
  await turn()
  end(right)
  await turn()
  expect(log).toEqual(['+b', '+a', '-b'])
  end(left)
  await before
  await turn()
  expect(log.at(-1)).toBe('+alone')
  end('alone')
  await alone
  await turn()
  expect(log.at(-1)).toBe('+after')
  end('after')
  await after
})

test('what fails fails what comes after it, which does not begin', async () => {
  const { log, work, end } = held()
  const lanes = createLanes(2)
  const key = (text: string) => text
  const first = lanes.run([left], key, () => work('first'))
  const second = lanes.run([left], key, () => work('second'))
  const alone = lanes.alone(() => work('alone'))
  await turn()
  end('first', new Error('no database'))
  for (const each of [first, second, alone]) await expect(each).rejects.toThrow('no database')
  expect(log).toEqual(['+first', '-first'])
})
