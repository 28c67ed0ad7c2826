/**
 * The kind of thing that a history is about: `payment_intent`. An open set: each kind is an entry
 * of its own (`subject-kind.ts`), and the code that stores, seals or streams events never tests the
 * kind.
 */
export type SubjectKind = string

/** The thing that a history is about. Its id identifies it: no two kinds share an id. */
export interface Subject {
  readonly kind: SubjectKind
  readonly id: string
}
