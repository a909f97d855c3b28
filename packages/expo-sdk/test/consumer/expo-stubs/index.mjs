// Expo and React Native as far as src/expo/phone.ts uses them: an iPhone that a tap on a push has
// opened, with a permission that changes.
let isAllowed = false
const listeners = { token: [], received: [], response: [], state: [] }
const subscribe = (list) => (listener) => {
  list.push(listener)
  return { remove() {} }
}
const notification = (data) => ({ request: { content: { data }, trigger: { type: 'push' } } })

globalThis.phone = {
  allow: (value) => {
    isAllowed = value
  },
  comeToFront: () => {
    for (const listener of listeners.state) listener('active')
  },
  receive: (data) => {
    for (const listener of listeners.received) listener(notification(data))
  },
  newToken: (data) => {
    for (const listener of listeners.token) listener({ type: 'ios', data })
  },
  settle: () => new Promise((resolve) => setTimeout(resolve, 100)),
}

// expo-application
export const nativeApplicationVersion = '2.1.0'
export const getAndroidId = () => 'android id'
export const getIosIdForVendorAsync = async () => 'vendor id'
export const getIosPushNotificationServiceEnvironmentAsync = async () => 'development'

// expo-device
export const modelName = 'iPhone 15 Pro'
export const modelId = 'iPhone16,1'
export const manufacturer = 'Apple'
export const osName = 'iOS'
export const osVersion = '17.4'

// expo-localization
export const getLocales = () => [
  { languageTag: 'zh-Hant-TW', languageCode: 'zh', regionCode: 'TW' },
]

// expo-notifications
export const IosAuthorizationStatus = { PROVISIONAL: 3, EPHEMERAL: 4 }
export const getPermissionsAsync = async () => ({
  granted: isAllowed,
  canAskAgain: true,
  ios: { status: 0 },
})
export const requestPermissionsAsync = getPermissionsAsync
export const getDevicePushTokenAsync = async () => ({ type: 'ios', data: 'T1' })
export const addPushTokenListener = subscribe(listeners.token)
export const addNotificationReceivedListener = subscribe(listeners.received)
export const addNotificationResponseReceivedListener = subscribe(listeners.response)
export const getLastNotificationResponse = () => ({
  notification: notification({ 'CIO-Delivery-ID': 'd1', 'CIO-Delivery-Token': 'T1' }),
})

// react-native
export const Platform = { OS: 'ios' }
export const AppState = {
  addEventListener: (_type, listener) => subscribe(listeners.state)(listener),
}
