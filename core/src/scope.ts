/**
 * The scopes of restricted keys, and what each allows. A secret key may do all of it; a publishable
 * key has no scope. Printed to docs/generated/scopes.md, with the routes of each scope.
 */
export const scopeTable = {
  'payment_intents:read': {
    lets: 'read, list, find and follow payments, with their events, and read the explanation of their policy',
  },
  'payment_intents:write': {
    lets: 'create payments, withdraw them, and claim the transactions that pay them; in test mode also use the sandbox',
  },
  'payment_intents:resolve': {
    lets: 'decide about money that no rule can settle: accept it, set it aside, write it off',
  },
  'events:read': {
    lets: 'read the feed of all events of the merchant',
  },
} as const satisfies Record<string, { readonly lets: string }>

/** The name of a scope. */
export type KeyScope = keyof typeof scopeTable

/** Every scope, in the order of the table. */
export const keyScopes = Object.keys(scopeTable) as readonly KeyScope[] // the keys of the table

/** Whether a text is the name of a scope. */
export const isScope = (text: string): text is KeyScope => Object.hasOwn(scopeTable, text)
