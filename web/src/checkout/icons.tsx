import type { ReactNode } from 'react'

/** Decorative: the text beside an icon says the same. */
function Icon({ path }: { path: string }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  )
}

export const CheckIcon = (): ReactNode => <Icon path="M5 12.5l4.5 4.5L19 7.5" />
export const CopyIcon = (): ReactNode => (
  <Icon path="M9 9h10v10a1 1 0 0 1-1 1h-8a1 1 0 0 1-1-1zM15 5.5H6a1 1 0 0 0-1 1V15" />
)
export const CrossIcon = (): ReactNode => <Icon path="M7 7l10 10M17 7L7 17" />
export const ClockIcon = (): ReactNode => (
  <Icon path="M12 6.5V12l3.5 2.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z" />
)
export const LensIcon = (): ReactNode => (
  <Icon path="M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2L20.5 20.5" />
)
export const OutIcon = (): ReactNode => <Icon path="M10 6H6v12h12v-4M13.5 5H19v5.5M19 5l-8 8" />
