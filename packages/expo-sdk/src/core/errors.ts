/**
 * What the app may want to know, told through `onError`. Nothing of it needs handling: the SDK has
 * done what can be done.
 */
export type SdkError =
  /** The server will never take this call, so that it was dropped. */
  | { kind: 'refused'; message: string; code: string; call: string; fields: FieldError[] }
  /** The queue was full, so that an older call was dropped to make room. */
  | { kind: 'queue-full'; message: string; call: string }
  /** The server does not know the key. Calls wait. */
  | { kind: 'unauthorized'; message: string; status: number }
  /** The person's calls wait for an identity token that the server takes. */
  | { kind: 'identity'; message: string; code: string; personId: string }
  /** The store failed: calls are kept in memory, and are lost if the app ends before they are sent. */
  | { kind: 'storage'; message: string; cause: unknown }
  /** The phone did not tell what it was asked: its token or a permission. */
  | { kind: 'device'; message: string; cause: unknown }
  /** Something failed that never should. */
  | { kind: 'internal'; message: string; cause: unknown }

/** A field of a call that the server found wrong. */
export interface FieldError {
  path: string
  message: string
}

export type OnError = (error: SdkError) => void
