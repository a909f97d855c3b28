// The part of Expo and React Native that src/expo/phone.ts uses, so that building the SDK needs
// none of their five hundred packages. example/ checks the same file against the real ones.

declare module 'expo-application' {
  export const nativeApplicationVersion: string | null
  export function getAndroidId(): string
  export function getIosIdForVendorAsync(): Promise<string | null>
  export function getIosPushNotificationServiceEnvironmentAsync(): Promise<
    'development' | 'production' | null
  >
}

declare module 'expo-device' {
  export const modelName: string | null
  export const modelId: string | null
  export const manufacturer: string | null
  export const osName: string | null
  export const osVersion: string | null
}

declare module 'expo-localization' {
  export function getLocales(): {
    languageTag: string
    languageCode: string | null
    regionCode: string | null
  }[]
}

declare module 'expo-notifications' {
  export interface Subscription {
    remove(): void
  }
  export interface PermissionStatus {
    granted: boolean
    canAskAgain: boolean
    ios?: { status: number }
  }
  export const IosAuthorizationStatus: { PROVISIONAL: number; EPHEMERAL: number }
  export function getPermissionsAsync(): Promise<PermissionStatus>
  export function requestPermissionsAsync(request?: {
    ios?: { allowBadge?: boolean; allowSound?: boolean; allowAlert?: boolean }
  }): Promise<PermissionStatus>
  export function getDevicePushTokenAsync(): Promise<{ type: string; data: unknown }>
  export function addPushTokenListener(
    listener: (token: { type: string; data: unknown }) => void,
  ): Subscription
  export interface Notification {
    request: { content: { data?: unknown }; trigger: unknown }
  }
  export interface NotificationResponse {
    notification: Notification
  }
  export function addNotificationReceivedListener(
    listener: (notification: Notification) => void,
  ): Subscription
  export function addNotificationResponseReceivedListener(
    listener: (response: NotificationResponse) => void,
  ): Subscription
  export function getLastNotificationResponse(): NotificationResponse | null
}

declare module 'react-native' {
  export const Platform: { OS: string }
  export const AppState: {
    addEventListener(type: 'change', listener: (state: string) => void): { remove(): void }
  }
}
