import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apnsIdsOf } from '../src/delivery/apns-id.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/

test('each delivery has an id of its own, a lowercase UUID, and each try of it the same', () => {
  const delivery = fc.record({
    message: fc.uuid(),
    deviceNo: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  })
  fc.assert(
    fc.property(delivery, delivery, (one, other) => {
      const id = apnsIdsOf(one.message)(one.deviceNo)
      expect(id).toMatch(uuid)
      expect(apnsIdsOf(one.message)(one.deviceNo)).toBe(id)
      const isSame = one.message === other.message && one.deviceNo === other.deviceNo
      expect(apnsIdsOf(other.message)(other.deviceNo) === id).toBe(isSame)
    }),
  )
})
