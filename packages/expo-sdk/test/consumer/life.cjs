/** What a program without Expo does with the core: prints what the server was sent. */
exports.life = async function life(createClient, version) {
  const map = new Map()
  const client = createClient({
    cdpApiKey: 'pk_test',
    apiHost: process.argv[2],
    store: {
      getItem: (key) => map.get(key) ?? null,
      setItem: (key, value) => void map.set(key, value),
      removeItem: (key) => void map.delete(key),
    },
    device: { platform: 'android', attributes: { sdk: version } },
  })
  await client.registerDeviceToken('T1')
  await client.identify('ana', { from: 'a package' })
  await client.flush()
  await client.close()
}
