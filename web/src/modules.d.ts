// Types for modules that have none, as far as the pages use them.

declare module '*.css'

declare module 'react-dom/client' {
  import type { ReactNode } from 'react'

  export function createRoot(container: Element): { render(node: ReactNode): void }
}

declare module 'react-dom/server' {
  import type { ReactNode } from 'react'

  export function renderToStaticMarkup(node: ReactNode): string
}
