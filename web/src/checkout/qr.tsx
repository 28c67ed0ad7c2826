import { type ReactNode, useMemo } from 'react'
import { encode } from 'uqr'

/** Cells of quiet around the code: scanners want four. */
const quiet = 4

interface Props {
  readonly text: string
  readonly label: string
}

/** A QR code as one path. Always dark on white: not every scanner reads the inverse. */
export function Qr({ text, label }: Props): ReactNode {
  const { path, size } = useMemo(() => drawn(text), [text])
  const box = `${-quiet} ${-quiet} ${size + 2 * quiet} ${size + 2 * quiet}`
  return (
    <svg className="qr" viewBox={box} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  )
}

/** Runs of dark cells, row by row. */
export function drawn(text: string): { readonly path: string; readonly size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: 0 })
  let path = ''
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue
      const from = x
      while (x < size && row[x]) x++
      path += `M${from} ${y}h${x - from}v1h${from - x}z`
    }
  }
  return { path, size }
}
