import { registerRootComponent } from 'expo'
import { App } from './src/App.tsx'
import { startPushkeep } from './src/pushkeep.ts'

// As early as this, so that a tap on a push that launched the app is not missed.
startPushkeep()
registerRootComponent(App)
