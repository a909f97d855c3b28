import { CustomerIO } from '@pushkeep/expo-sdk'

// An app as Expo runs it, on a phone that test/consumer/expo-stubs stands in for.
const map = new Map()
const errors = []
await CustomerIO.initialize({
  cdpApiKey: 'pk_test',
  apiHost: process.argv[2],
  store: {
    getItem: async (key) => map.get(key) ?? null,
    setItem: async (key, value) => void map.set(key, value),
    removeItem: async (key) => void map.delete(key),
  },
  onError: ({ message }) => errors.push(message),
})
await CustomerIO.identify('ana')
const { phone } = globalThis
await phone.settle()
phone.allow(true)
phone.comeToFront()
await phone.settle()
phone.receive({ 'CIO-Delivery-ID': 'd2', 'CIO-Delivery-Token': 'T1' })
phone.receive({ other: 'push' })
phone.newToken('T2')
await phone.settle()
await CustomerIO.flush()
console.log(
  JSON.stringify({ errors, status: await CustomerIO.pushMessaging.getPushPermissionStatus() }),
)
process.exit(0)
