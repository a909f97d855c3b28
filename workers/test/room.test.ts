import { expect, test } from 'vitest'
import { createRoom } from '../src/delivery/room.ts'

const entering = (room: ReturnType<typeof createRoom>, isHeld = () => false) => {
  const state = { hasEntered: false }
  void room.enter(isHeld).then(() => {
    state.hasEntered = true
  })
  return state
}

test('a window waits until the provider has room', async () => {
  let backlog = 200
  const room = createRoom(() => backlog, 100)
  const window = entering(room)
  room.changed()
  await Promise.resolve()
  expect(window.hasEntered).toBe(false)
  backlog = 0
  room.changed()
  await expect.poll(() => window.hasEntered).toBe(true)
})

test('a held window lets those pass that are not held', async () => {
  const room = createRoom(() => 0, 100)
  const held = entering(room, () => true)
  const free = entering(room)
  await expect.poll(() => free.hasEntered).toBe(true)
  expect(held.hasEntered).toBe(false)
  room.open()
  await expect.poll(() => held.hasEntered).toBe(true)
})

test('a held window enters once nothing holds it, though its own provider finishes nothing', async () => {
  let isHeld = true
  const room = createRoom(() => 0, 100)
  const window = entering(room, () => isHeld)
  await Promise.resolve()
  expect(window.hasEntered).toBe(false)
  isHeld = false
  await expect.poll(() => window.hasEntered).toBe(true)
})
