import { type ReactNode, useMemo } from 'react'
import { encode } from 'uqr'

/** Width of the quiet zone in cells: scanners need four. */
const quiet = 4

interface Props {
  readonly text: string
  readonly label: string
}

/** A QR code as one path. Always dark on white, because some scanners cannot read the inverse. */
export function Qr({ text, label }: Props): ReactNode {
  const { path, size } = useMemo(() => drawn(text), [text])
  const box = `${-quiet} ${-quiet} ${size + 2 * quiet} ${size + 2 * quiet}`
  return (
    <svg className="qr" viewBox={box} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  )
}

/** The path of the dark cells, run by run. */
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
