const { createClient, version } = require('@pushkeep/expo-sdk/core')
const { life } = require('./life.cjs')

life(createClient, version)
