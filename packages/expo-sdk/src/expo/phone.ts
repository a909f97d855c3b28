import * as Application from 'expo-application'
import * as Device from 'expo-device'
import * as Localization from 'expo-localization'
import * as Notifications from 'expo-notifications'
import { AppState, Platform } from 'react-native'
import type { DeviceFacts } from '../core/calls.ts'
import { version } from '../core/version.ts'
import { type PermissionStatus, type Phone, type PushData, pushDataIn } from './phone-interface.ts'

/** The phone, through Expo. The one file that knows Expo and React Native. */
export const expoPhone: Phone = {
  async facts() {
    const platform = Platform.OS
    if (platform !== 'ios' && platform !== 'android') return null
    const permission = await Notifications.getPermissionsAsync()
    const environment = platform === 'ios' ? await apnsEnvironment() : undefined
    return { platform, environment, attributes: attributesOf(isAllowed(permission)) }
  },

  async mark() {
    if (Platform.OS === 'android') return Application.getAndroidId()
    return Platform.OS === 'ios' ? Application.getIosIdForVendorAsync() : null
  },

  async token() {
    return tokenIn(await Notifications.getDevicePushTokenAsync())
  },

  async permission() {
    return statusOf(await Notifications.getPermissionsAsync())
  },

  async askPermission(options) {
    const { badge: allowBadge = true, sound: allowSound = true } = options
    const ios = { allowAlert: true, allowBadge, allowSound }
    return statusOf(await Notifications.requestPermissionsAsync({ ios }))
  },

  onToken(listener) {
    Notifications.addPushTokenListener((token) => {
      const text = tokenIn(token)
      if (text !== null) listener(text)
    })
  },

  onUse({ foreground, background }) {
    AppState.addEventListener('change', (state) => {
      if (state === 'active') foreground()
      if (state === 'background') background()
    })
  },

  onPush({ received, opened }) {
    Notifications.addNotificationReceivedListener((notification) => {
      received(dataOf(notification))
    })
    Notifications.addNotificationResponseReceivedListener(({ notification }) => {
      opened(dataOf(notification))
    })
    // The tap that launched the app came before anybody listened.
    const last = Platform.OS === 'web' ? null : Notifications.getLastNotificationResponse()
    if (last) opened(dataOf(last.notification))
  },
}

function attributesOf(isPushAllowed: boolean): DeviceFacts['attributes'] {
  const [locale] = Localization.getLocales()
  const known = {
    device_os: textOf(Device.osName, Device.osVersion),
    device_model: Device.modelName ?? Device.modelId,
    device_manufacturer: Device.manufacturer,
    app_version: Application.nativeApplicationVersion,
    cio_sdk_version: version,
    device_locale:
      locale?.languageCode && locale.regionCode
        ? `${locale.languageCode}-${locale.regionCode}`
        : locale?.languageTag,
    push_enabled: String(isPushAllowed),
  }
  const entries = Object.entries(known).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [[name, value] as const] : [],
  )
  return Object.fromEntries(entries)
}

function textOf(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(' ')
}

/** Of a build signed for development, tokens are the sandbox's. */
async function apnsEnvironment(): Promise<'production' | 'sandbox' | undefined> {
  const environment = await Application.getIosPushNotificationServiceEnvironmentAsync()
  if (environment === null) return undefined
  return environment === 'development' ? 'sandbox' : 'production'
}

type Permission = Awaited<ReturnType<typeof Notifications.getPermissionsAsync>>

/** Quiet pushes, which iOS allows on trial, are pushes too. */
function isAllowed({ granted, ios }: Permission): boolean {
  const { PROVISIONAL, EPHEMERAL } = Notifications.IosAuthorizationStatus
  return granted || ios?.status === PROVISIONAL || ios?.status === EPHEMERAL
}

function statusOf(permission: Permission): PermissionStatus {
  if (isAllowed(permission)) return 'GRANTED'
  return permission.canAskAgain ? 'NOTDETERMINED' : 'DENIED'
}

/** null in a browser, whose subscriptions are no tokens of APNs or FCM. */
function tokenIn(token: { data?: unknown }): string | null {
  return typeof token.data === 'string' ? token.data : null
}

/** iOS has all of the payload in `data`, or in `payload` of the trigger; Android in `remoteMessage`. */
function dataOf({ request: { content, trigger } }: Notifications.Notification): PushData {
  const remote = Object(trigger)
  return (
    pushDataIn(content.data) ?? pushDataIn(remote.payload) ?? pushDataIn(remote.remoteMessage?.data)
  )
}
