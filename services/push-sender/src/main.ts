import { runProcess } from '@pushkeep/runtime'
import { senderConfig } from './config.ts'
import { startSender } from './start.ts'

await runProcess({
  name: 'push-sender',
  start: async () => startSender(senderConfig(process.env)),
})
