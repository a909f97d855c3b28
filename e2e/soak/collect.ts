import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Loaded into the processes that are watched: collects all garbage now and then, so that what their memory
// shows is what they hold on to, and not when V8 last found it worth its while.
setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
const everyMs = 20_000

if (typeof collect === 'function') setInterval(() => collect(), everyMs).unref()
