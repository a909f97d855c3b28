export { buildSender, type SenderOptions } from './app.ts'
export { type SenderConfig, senderConfig } from './config.ts'
export { startSender } from './start.ts'
