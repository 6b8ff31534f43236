/** The results as a picture: server CPU per message, a panel of bars for each of three loads. Drawn by hand, light and dark. */
import { figure, type Results } from './results.ts'

const PANELS = [
  { cell: 'same 100×16', title: '100 clients, 16 messages unsettled each' },
  { cell: 'same 100×1', title: '100 clients, one message at a time' },
  { cell: 'same 1000×1', title: '1,000 clients, one message at a time' },
] as const

const WIDTH = 760
const LABELS = 290
const BARS = 380
const ROW = 20
const BAR = 13
const HEAD = 64
const PANEL_HEAD = 34

const style = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .note { fill: #57606a }
.peer { fill: #8c959f } .relay { fill: #d0d7de } .ackd { fill: #0969da } .own { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #8d96a0 } .peer { fill: #6e7681 } .relay { fill: #484f58 } .ackd { fill: #4493f8 }
}`

interface Bar {
  readonly name: string
  readonly value: number
}

function kindOf(name: string): 'ackd' | 'relay' | 'peer' {
  if (name.startsWith('ackd')) return 'ackd'
  return name.startsWith('bare') ? 'relay' : 'peer'
}

function bars({ systems }: Results, cell: string): Bar[] {
  return systems
    .flatMap(({ name, loops }) => {
      const cpu = figure(loops[cell], run => run.cpu)
      return cpu === null ? [] : [{ name, value: cpu.median }]
    })
    .sort((a, b) => a.value - b.value)
}

/** Few are so far from the rest that all others would vanish beside them: what is above this is cut off, and its figure says so. */
function scaleOf(all: readonly Bar[]): number {
  const middle = all[all.length >> 1]?.value ?? 1
  return Math.min(all.at(-1)?.value ?? 1, middle * 5)
}

function row({ name, value }: Bar, scale: number, y: number): string {
  const width = Math.max(1, (Math.min(value, scale) / scale) * BARS)
  const own = kindOf(name) === 'ackd' ? ' class="own"' : ''
  const figures = `${value.toFixed(value < 10 ? 2 : 1)}${value > scale ? ' →' : ''}`
  return `<text x="${LABELS - 8}" y="${y + 11}" text-anchor="end"${own}>${name}</text>
<rect class="${kindOf(name)}" x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>
<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 11}"${own}>${figures}</text>`
}

export function chart(results: Results): string {
  const parts: string[] = []
  let y = HEAD
  for (const { cell, title } of PANELS) {
    const all = bars(results, cell)
    parts.push(`<text class="panel" x="${LABELS}" y="${y + 14}">${title}</text>`)
    y += PANEL_HEAD - 8
    for (const bar of all) {
      parts.push(row(bar, scaleOf(all), y))
      y += ROW
    }
    y += 14
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Server CPU per message, ackd and its peers">
<style>${style}</style>
<text class="title" x="16" y="26">Server CPU per message, in µs: less is better</text>
<text class="note" x="16" y="46">Sent, delivered, acked by the recipient where the system has acks, receipted to the sender. What a receipt is worth differs: see the table.</text>
${parts.join('\n')}
</svg>
`
}
