import { createCustomerIO } from './expo/customer-io.ts'
import { expoPhone } from './expo/phone.ts'

export * from './core/index.ts'
export type {
  CustomerIO as CustomerIOModule,
  CustomerIOConfig,
  PushMessaging,
} from './expo/customer-io.ts'
export type { PermissionStatus } from './expo/phone-interface.ts'

/** The SDK of this app. */
export const CustomerIO = createCustomerIO(expoPhone)
