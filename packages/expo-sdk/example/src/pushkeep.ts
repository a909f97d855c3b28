import { CustomerIO } from '@pushkeep/expo-sdk'
import AsyncStorage from '@react-native-async-storage/async-storage'
import * as Notifications from 'expo-notifications'

const host = process.env.EXPO_PUBLIC_PUSHKEEP_HOST ?? 'http://localhost:7001'
const key = process.env.EXPO_PUBLIC_PUSHKEEP_KEY ?? ''

/** Starts the SDK; what goes wrong on the way is written to the console. */
export function startPushkeep(): void {
  Notifications.setNotificationHandler({
    handleNotification: async () => ({
      shouldPlaySound: true,
      shouldSetBadge: false,
      shouldShowBanner: true,
      shouldShowList: true,
    }),
  })
  CustomerIO.initialize({
    cdpApiKey: key,
    apiHost: host,
    store: AsyncStorage,
    onError: (error) => console.warn(`pushkeep: ${error.kind}: ${error.message}`),
    // Where the app requires identity tokens: your backend signs one for whoever is logged in.
    // identityToken: async (personId) => fetchIdentityToken(personId),
  }).catch((error) => console.error('pushkeep could not start', error))
}
