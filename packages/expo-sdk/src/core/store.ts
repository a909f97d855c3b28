/**
 * Where the SDK keeps what it has to remember: `AsyncStorage`, `localStorage`, or anything with
 * these three calls. A write has to be all or nothing for its key.
 */
export interface Store {
  getItem(key: string): Promise<string | null> | string | null
  setItem(key: string, value: string): Promise<unknown> | unknown
  removeItem(key: string): Promise<unknown> | unknown
}
