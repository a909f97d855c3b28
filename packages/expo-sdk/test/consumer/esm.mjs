import { createClient, version } from '@pushkeep/expo-sdk/core'
import { life } from './life.cjs'

await life(createClient, version)
