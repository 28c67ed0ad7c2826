import '../ui/tokens.css'
import '../ui/base.css'
import './checkout.css'
import './panels.css'
import './print.css'
import { createRoot } from 'react-dom/client'
import { Checkout } from './checkout.tsx'
import { Live } from './live.ts'
import { readPageState } from './page-state.ts'
import { words } from './words.ts'

const container = document.getElementById('checkout')
const state = readPageState(document)

if (container !== null) {
  const root = createRoot(container)
  if (state === null) {
    root.render(<p className="without-script">{words.broken}</p>)
  } else {
    const live = new Live(state)
    root.render(<Checkout live={live} state={state} />)
    live.start()
  }
}
