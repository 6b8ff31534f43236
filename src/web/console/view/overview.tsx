/** The live figures of the server: what comes and goes, what waits, and how the process and its store are. */
import type { JSX } from 'preact'
import { byLabel, MAX_POINTS, pathOf, sumOf, type Figures, type LineName } from '../figures.ts'
import { bytesWords, rateWords, spanWords } from '../quantities.ts'
import type { Waiting, Watched } from '../watch.ts'
import { NodesTable } from './nodes.tsx'

export function Overview({ watched }: { readonly watched: Watched }): JSX.Element {
  const { figures, nodes, unheard, startedAt, waiting, trouble, storeTrouble } = watched
  const [node] = nodes
  const isOld = trouble !== ''
  return (
    <>
      <h1>Overview</h1>
      {figures === null ? (
        <p class="hint">{isOld ? 'There are no figures yet.' : 'Reading the figures…'}</p>
      ) : (
        <section
          class={isOld ? 'tiles is-old' : 'tiles'}
          aria-label={isOld ? 'The last figures, which are old' : 'Live figures'}
        >
          <Traffic figures={figures} />
          <Waits figures={figures} waiting={waiting} storeTrouble={storeTrouble} />
          <Health figures={figures} storeTrouble={storeTrouble} />
        </section>
      )}
      {node !== undefined && (
        <p class="hint">
          Node <code>{node.node}</code> on {node.host}, ackd {node.version}, up for{' '}
          {spanWords((figures?.last.at ?? startedAt) - startedAt)}, store {node.store}.
          {(nodes.length > 1 || unheard !== 0) &&
            ' The figures above are its own; what is parked is on the store that all of them share.'}
        </p>
      )}
      <NodesTable nodes={nodes} unheard={unheard} isOld={isOld} />
    </>
  )
}

function Traffic({ figures }: { readonly figures: Figures }): JSX.Element {
  const { last } = figures
  const connections = byLabel(last, 'ackd_connections').filter(([, value]) => value > 0)
  const by = connections.map(([name, value]) => `${value.toLocaleString()} ${name}`).join(' · ')
  const sessions = sumOf(last, 'ackd_sessions')
  return (
    <>
      <Tile
        figures={figures}
        line="connections"
        title="Connections"
        value={newest(figures, 'connections').toLocaleString()}
        detail={by || 'nobody is here'}
      />
      <Tile
        figures={figures}
        line="taken"
        title="Messages in, per second"
        value={rate(figures, 'taken')}
        detail={`${sumOf(last, 'ackd_accepted_total').toLocaleString()} since the start`}
      />
      <Tile
        figures={figures}
        line="sent"
        title="Messages out, per second"
        value={rate(figures, 'sent')}
        detail={`${sessions.toLocaleString()} ${sessions === 1 ? 'client' : 'clients'} ready`}
      />
      <Tile
        figures={figures}
        line="acks"
        title="Acks, per second"
        value={rate(figures, 'acks')}
        detail={`${sumOf(last, 'ackd_ack_timeouts_total').toLocaleString()} ack timeouts`}
      />
    </>
  )
}

interface WaitsProps {
  readonly figures: Figures
  readonly waiting: Waiting | null
  /** Why it is not known what is parked. */
  readonly storeTrouble: string
}

function Waits({ figures, waiting, storeTrouble }: WaitsProps): JSX.Element {
  const { messages = 0, mailboxes = 0, bytes = 0, oldest = 0, isMore = false } = waiting ?? {}
  const inBoxes = `${isMore ? 'the first ' : ''}${mailboxes.toLocaleString()} ${mailboxes === 1 ? 'mailbox' : 'mailboxes'} · ${bytesWords(bytes)}`
  const parkedWords =
    waiting === null
      ? storeTrouble === ''
        ? 'looking into the mailboxes…'
        : 'not known while the store is away'
      : messages === 0
        ? 'every mailbox is empty'
        : `${inBoxes} · oldest ${spanWords(Math.max(0, figures.last.at - oldest))}`
  return (
    <>
      <Tile
        title="Parked"
        value={waiting === null ? '–' : `${messages.toLocaleString()}${isMore ? '+' : ''}`}
        detail={parkedWords}
      />
      <Tile
        figures={figures}
        line="parkings"
        title="Parked, per second"
        value={rate(figures, 'parkings')}
        detail={`${sumOf(figures.last, 'ackd_drained_total').toLocaleString()} drained since the start`}
      />
      <Tile
        figures={figures}
        line="window"
        title="Waiting for an ack"
        value={newest(figures, 'window').toLocaleString()}
        detail="sent, and not acknowledged"
      />
      <Tile
        figures={figures}
        line="held"
        title="Held"
        value={bytesWords(newest(figures, 'held'))}
        detail="messages that have no end yet"
      />
    </>
  )
}

function Health({ figures, storeTrouble }: Pick<WaitsProps, 'figures' | 'storeTrouble'>): JSX.Element {
  const { last } = figures
  const isUp = storeTrouble === '' && sumOf(last, 'ackd_store_up') === 1
  const isEnding = sumOf(last, 'ackd_draining') === 1
  const failures = sumOf(last, 'ackd_store_failures_total')
  return (
    <>
      <Tile
        title="Store"
        value={isUp ? 'Answers' : 'Unavailable'}
        isTrouble={!isUp}
        detail={`${failures.toLocaleString()} calls without an answer`}
      />
      <Tile
        figures={figures}
        line="lag"
        title="Event loop lag"
        value={`${Math.round(newest(figures, 'lag'))} ms`}
        detail="99th percentile of 5 s"
      />
      <Tile
        figures={figures}
        line="memory"
        title="Memory"
        value={bytesWords(newest(figures, 'memory'))}
        detail="of the process"
      />
      <Tile
        title="State"
        value={isEnding ? 'Shutting down' : 'Serves'}
        isTrouble={isEnding}
        detail={`${sumOf(last, 'ackd_exceptions_total').toLocaleString()} faults of the program`}
      />
    </>
  )
}

interface TileProps {
  readonly title: string
  readonly value: string
  readonly detail: string
  readonly figures?: Figures
  readonly line?: LineName
  readonly isTrouble?: boolean
}

const [WIDTH, HEIGHT] = [120, 28]

function Tile({ title, value, detail, figures, line, isTrouble = false }: TileProps): JSX.Element {
  const path =
    figures === undefined || line === undefined ? null : pathOf(figures.lines[line].slice(-MAX_POINTS), WIDTH, HEIGHT)
  return (
    <div class="tile">
      <h2>{title}</h2>
      <p class={isTrouble ? 'figure trouble' : 'figure'}>{value}</p>
      {path !== null && (
        <svg class="line" viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={path} />
        </svg>
      )}
      <p class="hint">{detail}</p>
    </div>
  )
}

function newest({ lines }: Figures, name: LineName): number {
  return lines[name].at(-1) ?? 0
}

function rate({ lines }: Figures, name: LineName): string {
  return rateWords(lines[name].at(-1))
}
