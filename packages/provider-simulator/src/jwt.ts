/** A JSON Web Token taken apart; nothing is verified yet. */
export interface JwtParts {
  header: unknown
  claims: unknown
  /** The bytes that were signed. */
  signed: Buffer
  signature: Buffer
}

/** Null where the text is not a JWT. */
export function splitJwt(text: string): JwtParts | null {
  const [header, claims, signature, ...rest] = text.split('.')
  if (header === undefined || claims === undefined || !signature || rest.length > 0) return null
  try {
    return {
      header: JSON.parse(Buffer.from(header, 'base64url').toString()),
      claims: JSON.parse(Buffer.from(claims, 'base64url').toString()),
      signed: Buffer.from(`${header}.${claims}`),
      signature: Buffer.from(signature, 'base64url'),
    }
  } catch {
    return null
  }
}
