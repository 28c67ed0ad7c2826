/** Stops what the function that returned it started. A second call does nothing. */
export type Stop = () => void
