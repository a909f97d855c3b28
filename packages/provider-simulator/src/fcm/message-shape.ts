/**
 * The fields of an FCM v1 message, by their proto names.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
 */
export type FieldKind =
  | 'string'
  | 'bool'
  | 'int'
  | 'number'
  | 'strings'
  | 'string-map'
  | 'struct'
  | readonly string[]
  | Shape

/** A message's fields; a list of strings in it stands for an enum. */
export interface Shape {
  readonly [field: string]: FieldKind
}

const FCM_OPTIONS: Shape = { analytics_label: 'string' }

const LIGHT_SETTINGS: Shape = {
  color: { red: 'number', green: 'number', blue: 'number', alpha: 'number' },
  light_on_duration: 'string',
  light_off_duration: 'string',
}

const ANDROID_NOTIFICATION: Shape = {
  title: 'string',
  body: 'string',
  icon: 'string',
  color: 'string',
  sound: 'string',
  tag: 'string',
  click_action: 'string',
  body_loc_key: 'string',
  body_loc_args: 'strings',
  title_loc_key: 'string',
  title_loc_args: 'strings',
  channel_id: 'string',
  ticker: 'string',
  sticky: 'bool',
  event_time: 'string',
  local_only: 'bool',
  notification_priority: [
    'PRIORITY_UNSPECIFIED',
    'PRIORITY_MIN',
    'PRIORITY_LOW',
    'PRIORITY_DEFAULT',
    'PRIORITY_HIGH',
    'PRIORITY_MAX',
  ],
  default_sound: 'bool',
  default_vibrate_timings: 'bool',
  default_light_settings: 'bool',
  vibrate_timings: 'strings',
  visibility: ['VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'],
  notification_count: 'int',
  light_settings: LIGHT_SETTINGS,
  image: 'string',
  bypass_proxy_notification: 'bool',
  proxy: ['PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED'],
}

const ANDROID: Shape = {
  collapse_key: 'string',
  priority: ['NORMAL', 'HIGH'],
  ttl: 'string',
  restricted_package_name: 'string',
  data: 'string-map',
  notification: ANDROID_NOTIFICATION,
  fcm_options: FCM_OPTIONS,
  direct_boot_ok: 'bool',
  bandwidth_constrained_ok: 'bool',
  restricted_satellite_ok: 'bool',
}

export const MESSAGE: Shape = {
  name: 'string',
  data: 'string-map',
  notification: { title: 'string', body: 'string', image: 'string' },
  android: ANDROID,
  webpush: {
    headers: 'string-map',
    data: 'string-map',
    notification: 'struct',
    fcm_options: { link: 'string', analytics_label: 'string' },
  },
  apns: {
    headers: 'string-map',
    payload: 'struct',
    fcm_options: { analytics_label: 'string', image: 'string' },
    live_activity_token: 'string',
  },
  fcm_options: FCM_OPTIONS,
  token: 'string',
  fid: 'string',
  topic: 'string',
  condition: 'string',
}

/** The body of `messages:send`. */
export const SEND_REQUEST: Shape = { validate_only: 'bool', message: MESSAGE }
