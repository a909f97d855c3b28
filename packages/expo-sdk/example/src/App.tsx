import { CustomerIO, type DeviceState } from '@pushkeep/expo-sdk'
import { useState } from 'react'
import { Button, SafeAreaView, ScrollView, StyleSheet, Text, TextInput, View } from 'react-native'

/** Logs in and out, tracks, asks for the permission, and shows what the server knows of the phone. */
export function App() {
  const [personId, setPersonId] = useState('ana')
  const [device, setDevice] = useState<DeviceState | null>(null)
  const [news, setNews] = useState('')

  /** Does something and says what came of it. */
  const run = (what: string, work: () => Promise<unknown>) => async () => {
    try {
      await work()
      setNews(`${what}: done`)
    } catch (error) {
      setNews(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const logIn = () => CustomerIO.identify(personId, { first_name: personId, plan: { name: 'pro' } })
  const buy = () => CustomerIO.track('Bought', { item: 'socks', price: 4.5 })
  const ask = async () => {
    setNews(await CustomerIO.pushMessaging.showPromptForPushNotifications())
  }
  const look = async () => setDevice(await CustomerIO.getDevice())

  return (
    <SafeAreaView style={styles.page}>
      <ScrollView contentContainerStyle={styles.content}>
        <TextInput
          style={styles.input}
          value={personId}
          onChangeText={setPersonId}
          autoCapitalize="none"
          accessibilityLabel="Person"
        />
        <Row>
          <Button title="Log in" onPress={run('log in', logIn)} />
          <Button title="Log out" onPress={run('log out', () => CustomerIO.clearIdentify())} />
        </Row>
        <Row>
          <Button title="Allow pushes" onPress={run('ask', ask)} />
          <Button title="Buy socks" onPress={run('buy', buy)} />
        </Row>
        <Button
          title="Dark theme"
          onPress={run('theme', () => CustomerIO.setDeviceAttributes({ theme: 'dark' }))}
        />
        <Button title="What does the server know?" onPress={run('look', look)} />
        <Text>{news}</Text>
        <Text style={styles.code}>{JSON.stringify(device, null, 2)}</Text>
      </ScrollView>
    </SafeAreaView>
  )
}

function Row({ children }: { children: React.ReactNode }) {
  return <View style={styles.row}>{children}</View>
}

const styles = StyleSheet.create({
  page: { flex: 1 },
  content: { padding: 16, gap: 12 },
  row: { flexDirection: 'row', gap: 12 },
  input: { borderWidth: 1, borderColor: '#999', borderRadius: 6, padding: 10 },
  code: { fontFamily: 'monospace', fontSize: 12 },
})
