/** How a provider behaves for a while. Probabilities are per question unless they say otherwise. */
export interface Mood {
  /** From question to answer. */
  readonly latencyMs: readonly [number, number]
  /** From a new head of the chain to this node's knowing it. */
  readonly lagMs: readonly [number, number]
  /** `[]` for the logs of a block that it has. */
  readonly emptyLogs: number
  /** Null for a block, a receipt or a transaction that it has. */
  readonly lacking: number
  /** Logs of canonical blocks that say `removed: true`. */
  readonly removedLogs: number
  /** The connection ends instead of an answer. */
  readonly drops: number
  /** No answer, or one that comes after everybody has given up. */
  readonly holds: number
  /** Something that is no answer. */
  readonly garbles: number
  /** Turned away, in one of the forms that nodes have for that. */
  readonly refuses: number
  /** Whether it is one method alone that it refuses, always the same. */
  readonly refusesOne: boolean
  /** Per block of the chain that it learns of: shows a payment in it that nobody made; hides one. */
  readonly forges: number
  readonly hides: number
  /** Per notification: once more; with one that is older after it; not at all. */
  readonly repeats: number
  readonly reorders: number
  readonly mutes: number
  /** Whether it takes connections. */
  readonly isUp: boolean
  /** Blocks at its head that nobody else has; 0 for an honest node. */
  readonly ownBlocks: number
}

const healthy: Mood = {
  ...{ latencyMs: [1, 40], lagMs: [5, 120] },
  ...{ emptyLogs: 0, lacking: 0, removedLogs: 0, drops: 0, holds: 0, garbles: 0 },
  ...{ refuses: 0, refusesOne: false, forges: 0, hides: 0 },
  ...{ repeats: 0.02, reorders: 0, mutes: 0, isUp: true, ownBlocks: 0 },
}

export const moods = {
  healthy,
  slow: { ...healthy, latencyMs: [100, 3_000], lagMs: [200, 2_500] },
  behind: { ...healthy, lagMs: [3_000, 15_000] },
  forgetful: { ...healthy, emptyLogs: 0.5, lacking: 0.12, removedLogs: 0.3 },
  repeating: { ...healthy, repeats: 0.5, reorders: 0.5, removedLogs: 0.2 },
  mute: { ...healthy, mutes: 1 },
  flaky: { ...healthy, drops: 0.06, holds: 0.02, garbles: 0.03 },
  silent: { ...healthy, holds: 0.6 },
  down: { ...healthy, isUp: false },
  lying: { ...healthy, ownBlocks: 1, removedLogs: 0.2 },
  dreaming: { ...healthy, ownBlocks: 2, lacking: 0.05 },
  refusing: { ...healthy, refuses: 0.7 },
  choosy: { ...healthy, refuses: 1, refusesOne: true },
  /** These two lie about blocks that everybody has; only a liar comes into them. */
  forging: { ...healthy, forges: 0.6 },
  denying: { ...healthy, hides: 0.6 },
} as const satisfies Record<string, Mood>

export type MoodName = keyof typeof moods

/** How often each comes up while there are faults. */
export const moodWeights: Readonly<Record<MoodName, number>> = {
  ...{ healthy: 6, slow: 2, behind: 2, forgetful: 2, repeating: 1, mute: 1 },
  ...{ flaky: 2, silent: 1, down: 1, lying: 2, dreaming: 1 },
  ...{ refusing: 2, choosy: 2, forging: 0, denying: 0 },
}

/** Of a node that lies. */
export const liarMoodWeights: Readonly<Record<MoodName, number>> = {
  ...moodWeights,
  ...{ forging: 14, denying: 6 },
}
